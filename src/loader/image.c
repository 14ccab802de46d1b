/* SPDX-License-Identifier: BSD-2-Clause */
/* The front of the loaders: which format, and whether its parts go together. */
#include "formats.h"

enum guest_format loader_recognise(const void *image, uint64_t size)
{
	/* Linux first: a kernel may hold other magic numbers among its bytes by chance. */
	if (linux_recognise(image, size))
		return FORMAT_LINUX;
	if (multiboot_recognise(image, size))
		return FORMAT_MULTIBOOT;
	return FORMAT_GUESS;
}

/* What was given for the guest and its format has no use for. */
static bool check_parts(const struct guest_image *image, enum guest_format format,
			const struct error_line *error)
{
	if (image->n_modules && format != FORMAT_MULTIBOOT)
		return loader_fail(error, "module: this guest is %s, only Multiboot kernels take "
				   "modules; take the line out",
				   format == FORMAT_LINUX ? "a Linux kernel" : "a flat image");
	if (image->initrd_size && format != FORMAT_LINUX)
		return loader_fail(error, "initrd: this guest is %s, only Linux takes an initrd; "
				   "take the line out%s",
				   format == FORMAT_FLAT ? "a flat image" : "a Multiboot kernel",
				   format == FORMAT_FLAT ? "" : ", or write module instead");
	return true;
}

/* NULL, with the line written, when there is none that fits. */
static const struct format *choose(const struct guest_image *image, const struct error_line *error)
{
	static const struct format *const formats[] = {
		[FORMAT_GUESS] = NULL,
		[FORMAT_LINUX] = &linux_format,
		[FORMAT_MULTIBOOT] = &multiboot_format,
		[FORMAT_FLAT] = &flat_format,
	};
	enum guest_format format = image->format;

	if (format == FORMAT_GUESS)
		format = loader_recognise(image->kernel, image->kernel_size);
	if (format == FORMAT_GUESS) {
		loader_fail(error, "kernel: neither a Linux kernel nor a Multiboot image; other "
			    "code is started by its addresses; check the file, or set format = "
			    "flat with load and mode");
		return NULL;
	}
	return check_parts(image, format, error) ? formats[format] : NULL;
}

bool loader_check(const struct guest_image *image, uint64_t memory, char *error, size_t error_size)
{
	const struct error_line line = { error, error_size };
	const struct format *format = choose(image, &line);

	return format && format->check(image, memory, &line);
}

bool loader_load(const struct guest_image *image, const struct guest_memory *mem,
		 struct guest_entry *entry, char *error, size_t error_size)
{
	const struct error_line line = { error, error_size };
	const struct format *format = choose(image, &line);

	return format && format->load(image, mem, entry, &line);
}
