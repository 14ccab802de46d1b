/* SPDX-License-Identifier: BSD-2-Clause */
/* The setup header of a bzImage: reading it and refusing what cannot be booted. */
#include "kstring.h"
#include "linux_image.h"

#define ALIGNMENT_MAX GIB(1)

static bool read_header(const void *file, uint64_t size, struct linux_header *out)
{
	if (size < LINUX_HEADER_OFFSET + sizeof(*out))
		return false;
	memcpy(out, (const uint8_t *)file + LINUX_HEADER_OFFSET, sizeof(*out));
	return out->boot_flag == LINUX_BOOT_FLAG && out->magic == LINUX_MAGIC;
}

bool linux_recognise(const void *image, uint64_t size)
{
	struct linux_header hdr;

	return read_header(image, size, &hdr);
}

static bool check_protocol(const struct linux_header *hdr, const struct error_line *error)
{
	const unsigned major = hdr->version >> 8, minor = hdr->version & 0xFF;

	if (hdr->version < LINUX_PROTOCOL_MIN)
		return loader_fail(error, "kernel: boot protocol %u.%02u is too old, 2.06 is "
				   "needed; use Linux 2.6.22 or newer", major, minor);
	if (!(hdr->loadflags & LOADFLAG_LOADED_HIGH))
		return loader_fail(error, "kernel: a zImage, which loads below 1 MiB; use the "
				   "bzImage of the same kernel");
	return true;
}

/* Where the header of a protocol ends (boot.rst, "Details of Header Fields"). */
static uint32_t protocol_header_end(uint16_t version)
{
	static const struct {
		uint16_t version;
		uint32_t end;
	} ends[] = {
		{ 0x020B, 0x268 }, { 0x020A, 0x264 }, { 0x0209, 0x258 },
		{ 0x0208, 0x250 }, { 0x0207, 0x248 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (version >= ends[i].version)
			return ends[i].end;
	return LINUX_HEADER_END_206;
}

/* The header's own length, and that it reaches as far as its protocol says. */
static bool check_header_size(struct linux_image *image, const struct error_line *error)
{
	const uint32_t end = LINUX_HEADER_MAGIC_OFFSET + image->hdr.jump_length;
	const uint32_t least = protocol_header_end(image->hdr.version);
	const uint32_t known = least - LINUX_HEADER_OFFSET;

	if (end < least || end > LINUX_HEADER_END_MAX)
		return loader_fail(error, "kernel: its setup header ends at 0x%x, a valid one "
				   "between 0x%x and 0x%x; the file is damaged, copy it again",
				   end, least, LINUX_HEADER_END_MAX);
	image->header_size = end - LINUX_HEADER_OFFSET;
	/* What is behind an older header is code or text, not fields. */
	memset((uint8_t *)&image->hdr + known, 0, sizeof(image->hdr) - known);
	return true;
}

/* The 64-bit entry where there is one, else the 32-bit entry, which is the first byte. */
static bool choose_entry(struct linux_image *image, const struct error_line *error)
{
	const struct linux_header *hdr = &image->hdr;

	if (hdr->version >= LINUX_PROTOCOL_ENTRY64 && hdr->xloadflags & XLOADFLAG_KERNEL_64) {
		image->mode = MODE_LONG64;
		image->entry = LINUX_ENTRY64;
		return true;
	}
	/* Such as iPXE's: its code is packed, and what unpacks it runs on BIOS calls. */
	if (!hdr->code32_start)
		return loader_fail(error, "kernel: has no 32-bit entry (code32_start is 0), it "
				   "starts in real mode and calls a BIOS, which guests do not "
				   "have; use an image with a 32-bit or 64-bit entry");
	image->mode = MODE_PROTECTED32;
	image->entry = 0;
	return true;
}

static bool check_code(struct linux_image *image, uint64_t size, const struct error_line *error)
{
	const struct linux_header *hdr = &image->hdr;
	const uint64_t sects = hdr->setup_sects ? hdr->setup_sects : LINUX_DEFAULT_SETUP_SECTS;
	uint64_t promised;

	image->code_offset = (sects + 1) * LINUX_SECTOR; /* the boot sector comes first */
	image->code_size = (uint64_t)hdr->syssize * LINUX_SYSSIZE_UNIT;
	if (image->code_size <= image->entry)
		return loader_fail(error, "kernel: its header gives %lu bytes of code, the entry "
				   "is at %lu; the file is damaged, copy it again",
				   image->code_size, image->entry);
	promised = image->code_offset + image->code_size;
	/* The header counts in units; a file may end inside the last one. */
	if (size + LINUX_SYSSIZE_UNIT <= promised)
		return loader_fail(error, "kernel: truncated, its header promises %lu bytes and "
				   "the file has %lu; copy it again", promised, size);
	if (size < promised)
		image->code_size -= promised - size;
	return true;
}

/*
 * Where it wants to be and how much RAM it needs there.  Before 2.10 a header
 * says neither how much it unpacks to, nor where: all that can be done is to
 * keep the initrd as far away as possible.
 */
static void find_place(struct linux_image *image)
{
	const struct linux_header *hdr = &image->hdr;

	image->preferred = hdr->version >= LINUX_PROTOCOL_PLACED ? hdr->pref_address
								 : hdr->code32_start;
	/* An image that says less than its own size cannot mean it. */
	image->footprint = max_u64(hdr->init_size, image->code_size);
}

static bool check_alignment(const struct linux_header *hdr, const struct error_line *error)
{
	const uint32_t align = hdr->kernel_alignment;

	if (!hdr->relocatable_kernel)
		return true;
	if (align < PAGE_SIZE || align > ALIGNMENT_MAX || (align & (align - 1)))
		return loader_fail(error, "kernel: kernel_alignment is 0x%x, it must be a power of "
				   "two from 4 KiB to 1 GiB; the file is damaged, copy it again",
				   align);
	return true;
}

bool linux_image_read(const void *file, uint64_t size, struct linux_image *out,
		      const struct error_line *error)
{
	if (!read_header(file, size, &out->hdr))
		return loader_fail(error, "kernel: not a Linux bzImage (no 0xAA55 at 0x1FE and "
				   "\"HdrS\" at 0x202); give a vmlinuz, or the right format");
	if (!check_protocol(&out->hdr, error) || !check_header_size(out, error) ||
	    !choose_entry(out, error) || !check_code(out, size, error) ||
	    !check_alignment(&out->hdr, error))
		return false;
	find_place(out);
	return true;
}
