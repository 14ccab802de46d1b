/* SPDX-License-Identifier: BSD-2-Clause */
/* The header of a Multiboot image, and images that are described by its address fields. */
#include "multiboot_image.h"

#include "formats.h"
#include "kstring.h"
#include "multiboot_abi.h"

/* The offset of the first valid header; false: there is none. */
static bool find_header(const void *file, uint64_t size, struct mb_header *hdr, uint64_t *offset)
{
	const uint64_t end = min_u64(size, MB_HEADER_SEARCH);

	for (uint64_t at = 0; at + sizeof(*hdr) <= end; at += MB_HEADER_ALIGN) {
		memcpy(hdr, (const uint8_t *)file + at, sizeof(*hdr));
		if (hdr->magic == MB_HEADER_MAGIC &&
		    (uint32_t)(hdr->magic + hdr->flags + hdr->checksum) == 0) {
			*offset = at;
			return true;
		}
	}
	return false;
}

bool multiboot_recognise(const void *image, uint64_t size)
{
	struct mb_header hdr;
	uint64_t offset;

	return find_header(image, size, &hdr, &offset);
}

static bool check_flags(const struct mb_header *hdr, const struct error_line *error)
{
	const uint64_t unknown = hdr->flags & MB_MUST_KNOW &
				 ~(MB_ALIGN_MODULES | MB_WANT_MEMORY | MB_WANT_VIDEO);

	if (hdr->flags & MB_WANT_VIDEO)
		return loader_fail(error, "kernel: asks for a video mode (Multiboot flag 2), a "
				   "guest has a serial console alone; build the kernel without "
				   "its framebuffer");
	if (unknown)
		return loader_fail(error, "kernel: demands Multiboot flags 0x%lx, which the "
				   "specification does not define; build it for Multiboot 0.6.96",
				   unknown);
	return true;
}

bool mb_add_segment(struct mb_image *image, const struct mb_segment *segment, uint64_t file_size,
		    const struct error_line *error)
{
	if (!segment->memory_size)
		return true;
	if (segment->file_size > segment->memory_size)
		return loader_fail(error, "kernel: a segment has %lu bytes in the file and %lu in "
				   "memory; the file is damaged, copy it again",
				   segment->file_size, segment->memory_size);
	if (segment->offset > file_size || segment->file_size > file_size - segment->offset)
		return loader_fail(error, "kernel: truncated, a segment of %lu bytes starts at "
				   "byte %lu and the file has %lu; copy it again",
				   segment->file_size, segment->offset, file_size);
	if (image->n_segments == MB_MAX_SEGMENTS) {
		_Static_assert(MB_MAX_SEGMENTS == 16, "the text below says the number");
		return loader_fail(error, "kernel: has too many segments to load, there can be 16; "
				   "link it with fewer");
	}
	image->segments[image->n_segments++] = *segment;
	return true;
}

/* The address fields are hostile: each is checked against the one it is compared to. */
static bool read_addresses(const void *file, uint64_t size, uint64_t offset,
			   struct mb_image *out, const struct error_line *error)
{
	struct mb_addresses a;
	struct mb_segment s;

	if (offset + sizeof(struct mb_header) + sizeof(a) > min_u64(size, MB_HEADER_SEARCH))
		return loader_fail(error, "kernel: truncated inside its Multiboot header; copy it "
				   "again");
	memcpy(&a, (const uint8_t *)file + offset + sizeof(struct mb_header), sizeof(a));
	if (a.header_addr < a.load_addr || a.header_addr - a.load_addr > offset)
		return loader_fail(error, "kernel: load_addr 0x%x and header_addr 0x%x of its "
				   "Multiboot header put its start outside the file; link it "
				   "anew", a.load_addr, a.header_addr);
	s.address = a.load_addr;
	s.offset = offset - (a.header_addr - a.load_addr);
	s.file_size = size - s.offset;
	if (a.load_end_addr)
		s.file_size = (uint64_t)a.load_end_addr - a.load_addr;
	if (a.load_end_addr && a.load_end_addr <= a.load_addr)
		return loader_fail(error, "kernel: load_end_addr 0x%x of its Multiboot header is "
				   "not above load_addr 0x%x; link it anew", a.load_end_addr,
				   a.load_addr);
	s.memory_size = s.file_size;
	if (a.bss_end_addr && a.bss_end_addr < s.address + s.file_size)
		return loader_fail(error, "kernel: bss_end_addr 0x%x of its Multiboot header is "
				   "below the end of its data, 0x%lx; link it anew",
				   a.bss_end_addr, s.address + s.file_size);
	if (a.bss_end_addr)
		s.memory_size = (uint64_t)a.bss_end_addr - a.load_addr;
	out->entry = a.entry_addr;
	return mb_add_segment(out, &s, size, error);
}

static bool check_entry(const struct mb_image *image, const struct error_line *error)
{
	for (unsigned i = 0; i < image->n_segments; i++) {
		const struct mb_segment *s = &image->segments[i];

		if (image->entry >= s->address && image->entry - s->address < s->memory_size)
			return true;
	}
	return loader_fail(error, "kernel: its entry 0x%lx is in none of its segments; link it "
			   "anew", image->entry);
}

bool mb_image_read(const void *file, uint64_t size, struct mb_image *out,
		   const struct error_line *error)
{
	struct mb_header hdr;
	uint64_t offset;

	memset(out, 0, sizeof(*out));
	if (!find_header(file, size, &hdr, &offset))
		return loader_fail(error, "kernel: has no Multiboot header in its first 8 KiB; "
				   "give a Multiboot kernel, or the right format");
	if (!check_flags(&hdr, error))
		return false;
	if (!(hdr.flags & MB_HAS_ADDRESSES ? read_addresses(file, size, offset, out, error)
					   : elf_read(file, size, out, error)))
		return false;
	return check_entry(out, error);
}
