# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# An apt beside the system's, for packages that the system's lists do not have:
# another release or another architecture.  The system is not touched.

# private_apt_begin DIR ARCH SUITE...: a list of the main component of these
# suites, from the mirror that this machine gets its release from.  All that is
# read or written is below DIR.
private_apt_begin() {
	local dir=$1 arch=$2 release uri suite
	shift 2
	# shellcheck disable=SC1091 # the system's
	release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # the names in parentheses are apt's
	uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk -v release="$release" '$2 == release && $3 == "main" { print $1; exit }')
	[[ -n $uri ]] || die "apt's configuration names no mirror of ${release:-this release}"
	rm -rf "$dir"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/debs"
	for suite in "$@"; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
			"$uri ${suite/RELEASE/$release} main"
	done >"$dir/sources.list"
	printf 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "-";\n' "$dir/sources.list" >"$dir/apt.conf"
	printf 'Dir::State::lists "%s";\nDir::Cache "%s";\n' "$dir/lists" "$dir/cache" >>"$dir/apt.conf"
	printf 'APT::Sandbox::User "";\nAPT::Architecture "%s";\nAPT::Architectures "%s";\n' \
		"$arch" "$arch" >>"$dir/apt.conf"
	private_apt "$dir" apt-get -q update
}

# private_apt DIR COMMAND...: apt-get or apt-cache with that list.
private_apt() {
	local dir=$1
	shift
	APT_CONFIG=$dir/apt.conf "$@"
}

# private_apt_unpack DIR PACKAGE...: fetches them and unpacks them in DIR/root.
private_apt_unpack() {
	local dir=$1 deb
	shift
	mkdir -p "$dir/root"
	(cd "$dir/debs" && private_apt "$dir" apt-get -q download "$@")
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir/root"
		dpkg-deb -f "$deb" Package Version | paste -sd ' ' >>"$dir/packages.txt"
	done
	rm -f "$dir"/debs/*.deb
}
