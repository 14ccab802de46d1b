/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration file: one parser for the hypervisor and the host checker.
 * Pure code.  See docs/configuration.md for the language.
 */
#ifndef BULKHEAD_CONFIG_H
#define BULKHEAD_CONFIG_H

#include "guest_format.h"
#include "parse.h"
#include "types.h"

#define CFG_MAX_VMS 15 /* the hotkeys reach nine by number, all by n and p */
#define CFG_MAX_CPUS 64
#define CFG_NAME 32
#define CFG_PATH 128
#define CFG_CMDLINE 1024
#define CFG_MODULE 256

#define CFG_MAX_FILE KIB(64)
#define CFG_MAX_LINE 1536 /* characters; the longest command line fits with room to spare */

#define CFG_MIN_MEMORY MIB(16)
#define CFG_MAX_MEMORY GIB(512)
#define CFG_MIN_BUFFER KIB(4)
#define CFG_MAX_BUFFER MIB(16)
#define CFG_DEFAULT_BUFFER KIB(256)
#define CFG_DEFAULT_ESCAPE ('E' & 0x1F) /* control-E */
#define CFG_ALL_BUFFERS MIB(64) /* of all guests together */

enum overflow_policy {
	OVERFLOW_AUTO,        /* block with the focus, drop-oldest without; as overflow_focus: as overflow */
	OVERFLOW_BLOCK,       /* the guest waits; nothing is lost */
	OVERFLOW_DROP_OLDEST, /* the oldest bytes go; they are counted and marked */
	OVERFLOW_PACE,        /* the same, but the guest writes at the rate that it set its port to */
};

/* How the two ends of the physical line hold each other. */
enum line_flow { FLOW_NONE, FLOW_XONXOFF, FLOW_RTSCTS };

enum end_action { ACTION_STOP, ACTION_RESTART };
enum crash_action { CRASH_ANNOUNCE, CRASH_FOCUS, CRASH_RESTART };
/* Which leaf guests find at CPUID 0x40000000: KVM's, or none and no hypervisor bit. */
enum hypervisor_leaf { LEAF_KVM, LEAF_OFF };
enum all_stopped { ALL_STOPPED_MONITOR, ALL_STOPPED_POWEROFF };

struct cfg_module {
	char path[CFG_PATH];     /* the first word of the text */
	char text[CFG_MODULE];   /* as written: what a Multiboot kernel gets as its string */
	unsigned line;
};

#define CFG_NO_ADDRESS UINT64_MAX

struct cfg_vm {
	char name[CFG_NAME];
	uint8_t cpus[CFG_MAX_CPUS]; /* ascending; cpus[i] runs vCPU i */
	unsigned n_cpus;
	uint64_t memory; /* bytes, a multiple of 2 MiB */
	char kernel[CFG_PATH], initrd[CFG_PATH]; /* as written; initrd may be "" */
	char cmdline[CFG_CMDLINE];
	enum guest_format format;
	struct cfg_module modules[GUEST_MAX_MODULES];
	unsigned n_modules;
	/* Of a flat image, else CFG_NO_ADDRESS. */
	uint64_t load, entry;
	enum guest_mode mode;
	uint32_t console_buffer; /* bytes, a power of two */
	enum overflow_policy overflow, overflow_focus;
	enum crash_action on_crash;
	enum end_action on_poweroff, on_reset;
	bool start_auto;
	uint16_t exit_port; /* 0: none */
	uint16_t console_own; /* the I/O base of a port of its own; 0: the shared line */
	enum hypervisor_leaf hypervisor_leaf;
	/* Lines, for messages about the machine: 0 when the key is absent. */
	unsigned line, line_cpus, line_memory, line_kernel, line_initrd;
	unsigned line_console, line_cmdline, line_format, line_load, line_entry, line_mode, line_buffer;
};

struct config {
	struct cfg_vm vms[CFG_MAX_VMS];
	unsigned n_vms;
	uint16_t console_port; /* I/O base, 0: none */
	unsigned baud;
	bool port_given, baud_given, flow_given; /* else the firmware's table may say */
	enum line_flow flow;
	uint8_t escape; /* a control character */
	enum all_stopped on_all_stopped;
	int log; /* enum log_level, or -1 when not given */
};

/* One mistake: `what` is wrong by `rule`; `remedy` says what would be right. */
struct cfg_mistake {
	unsigned line; /* 0: the file as a whole */
	const char *what, *rule, *remedy;
};
typedef void (*cfg_report_fn)(void *ctx, const struct cfg_mistake *m);

/*
 * Reads `len` bytes of text (need not be terminated) into *out, which starts
 * from the defaults.  Every mistake is reported, not only the first.  False
 * when there was one; *out is then not to be used.
 */
bool config_parse(const char *text, size_t len, struct config *out, cfg_report_fn report,
		  void *ctx);

/*
 * The line that both the checker and the hypervisor show for a mistake:
 * "FILE:LINE: WHAT; RULE; REMEDY", without a newline.  Returns its length;
 * what does not fit in `size` is cut.  CFG_MISTAKE_TEXT is always enough for a
 * file name of less than CFG_PATH characters.
 */
#define CFG_MISTAKE_TEXT 768
size_t config_format_mistake(char *buf, size_t size, const char *file,
			     const struct cfg_mistake *m);

/* The machine that a configuration is checked against. */
struct cfg_machine {
	unsigned n_cpus;  /* 0: unknown, not checked */
	uint64_t memory;  /* bytes that guests can have in all; 0: not checked */
	/* Is there a module (on the host: a file) for this path?  NULL: not checked. */
	bool (*has_module)(void *ctx, const char *path);
	void *ctx;
};

/*
 * Checks a configuration that config_parse accepted; reports like it.  Lines
 * are those of the keys that ask for too much.
 */
bool config_check_machine(const struct config *cfg, const struct cfg_machine *machine,
			  cfg_report_fn report, void *ctx);

/* A file that a guest's configuration names. */
struct cfg_file {
	const char *path, *key;
	unsigned line;
};
#define CFG_MAX_FILES (2 + GUEST_MAX_MODULES)

/* The kernel, then what else there is.  Returns how many. */
unsigned config_files(const struct cfg_vm *vm, struct cfg_file out[CFG_MAX_FILES]);

/*
 * The line of the key that a message begins with, as in "entry: 0x...": those
 * of the loader do.  The kernel's when the guest has no such line.
 */
unsigned config_line_of(const struct cfg_vm *vm, const char *message);

/* "com1" to "com4", or the I/O base of a serial port.  False: neither. */
bool config_uart_port(struct span value, uint16_t *port);
/* The ISA interrupt of com1 to com4, by I/O base; 0: another port. */
unsigned config_uart_irq(uint16_t base);

/* The last path component of a module's name: how a file is found among the boot modules. */
const char *config_basename(const char *path);

#endif
