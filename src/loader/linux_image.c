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
		return loader_fail(error, "kernel: boot protocol %u.%02u is too old, 2.12 is "
				   "needed; use a 64-bit Linux 3.8 or newer", major, minor);
	if (!(hdr->loadflags & LOADFLAG_LOADED_HIGH))
		return loader_fail(error, "kernel: a zImage, which loads below 1 MiB; use the "
				   "bzImage of the same kernel");
	if (hdr->version < LINUX_PROTOCOL_ENTRY64)
		return loader_fail(error, "kernel: has no 64-bit entry (boot protocol %u.%02u, "
				   "2.12 is needed); use a 64-bit Linux 3.8 or newer", major,
				   minor);
	if (!(hdr->xloadflags & XLOADFLAG_KERNEL_64))
		return loader_fail(error, "kernel: has no 64-bit entry (XLF_KERNEL_64 is clear); "
				   "use a kernel built for x86_64");
	return true;
}

/* The header's own length, and that it reaches as far as protocol 2.12 says. */
static bool check_header_size(struct linux_image *image, const struct error_line *error)
{
	const uint32_t end = LINUX_HEADER_MAGIC_OFFSET + image->hdr.jump_length;
	const uint32_t least = LINUX_HEADER_OFFSET + sizeof(image->hdr);

	if (end < least || end > LINUX_HEADER_END_MAX)
		return loader_fail(error, "kernel: its setup header ends at 0x%x, a valid one "
				   "between 0x%x and 0x%x; the file is damaged, copy it again",
				   end, least, LINUX_HEADER_END_MAX);
	image->header_size = end - LINUX_HEADER_OFFSET;
	return true;
}

static bool check_code(struct linux_image *image, uint64_t size, const struct error_line *error)
{
	const struct linux_header *hdr = &image->hdr;
	const uint64_t sects = hdr->setup_sects ? hdr->setup_sects : LINUX_DEFAULT_SETUP_SECTS;

	image->code_offset = (sects + 1) * LINUX_SECTOR; /* the boot sector comes first */
	image->code_size = (uint64_t)hdr->syssize * LINUX_SYSSIZE_UNIT;
	if (image->code_size <= LINUX_ENTRY64)
		return loader_fail(error, "kernel: its header gives %lu bytes of code, the 64-bit "
				   "entry is at 512; the file is damaged, copy it again",
				   image->code_size);
	if (size < image->code_offset || size - image->code_offset < image->code_size)
		return loader_fail(error, "kernel: truncated, its header promises %lu bytes and "
				   "the file has %lu; copy it again",
				   image->code_offset + image->code_size, size);
	/* Memory for unpacking; an image that says less than its own size cannot mean it. */
	image->footprint = max_u64(hdr->init_size, image->code_size);
	return true;
}

static bool check_alignment(const struct linux_header *hdr, const struct error_line *error)
{
	const uint32_t align = hdr->kernel_alignment;

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
	return check_protocol(&out->hdr, error) && check_header_size(out, error) &&
	       check_code(out, size, error) && check_alignment(&out->hdr, error);
}

bool linux_probe(const void *image, uint64_t size, char *error, size_t error_size)
{
	const struct error_line line = { error, error_size };
	struct linux_image read;

	return linux_image_read(image, size, &read, &line);
}
