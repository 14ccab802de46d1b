/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest program that uses I/O ports as root may:
 *   portio r PORT         prints the byte read there, in hexadecimal
 *   portio w PORT BYTE    writes one
 *   portio scan           prints how many of the 65,536 ports read as ff
 *   portio torment        reads and writes every register of the serial port, for ever
 * Numbers are hexadecimal.  No C library, to keep the initramfs small.
 */
#define SYS_write 1
#define SYS_exit 60
#define SYS_iopl 172
#define STDOUT 1
#define PORTS 0x10000UL

static long syscall3(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static unsigned char in8(unsigned long port)
{
	unsigned char value;

	__asm__ volatile("inb %w1, %0" : "=a"(value) : "d"(port));
	return value;
}

static void out8(unsigned long port, unsigned long value)
{
	__asm__ volatile("outb %b0, %w1" : : "a"(value), "d"(port));
}

static void print_hex(unsigned long value)
{
	char text[18];
	int at = sizeof(text);

	text[--at] = '\n';
	do {
		text[--at] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value != 0);
	syscall3(SYS_write, STDOUT, (long)&text[at], (long)sizeof(text) - at);
}

static unsigned long parse_hex(const char *text)
{
	unsigned long value = 0;

	for (; *text != '\0'; text++)
		value = value * 16 + (unsigned long)(*text <= '9' ? *text - '0' : (*text | 32) - 'a' + 10);
	return value;
}

/* The received byte of the serial port is skipped: reading it would take it from the console. */
static unsigned long scan(void)
{
	unsigned long ones = 0;

	for (unsigned long port = 0; port < PORTS; port++)
		if (port != 0x3f8 && in8(port) == 0xff)
			ones++;
	return ones;
}

/* Any values in any order: a generator as in the C standard's example. */
static void torment(void)
{
	for (unsigned long n = 1;; n = n * 1103515245 + 12345) {
		unsigned long port = 0x3f8 + ((n >> 16) & 7);

		if (n >> 20 & 1)
			out8(port, n >> 21);
		else
			in8(port);
	}
}

static int run(long argc, char **argv)
{
	if (syscall3(SYS_iopl, 3, 0, 0) != 0)
		return 2;
	if (argc == 2 && argv[1][0] == 's')
		print_hex(scan());
	else if (argc == 2 && argv[1][0] == 't')
		torment();
	else if (argc == 3 && argv[1][0] == 'r')
		print_hex(in8(parse_hex(argv[2])));
	else if (argc == 4 && argv[1][0] == 'w')
		out8(parse_hex(argv[2]), parse_hex(argv[3]));
	else
		return 1;
	return 0;
}

/* The kernel leaves the number of arguments and then their addresses on the stack. */
__attribute__((used)) static void start(long *stack)
{
	syscall3(SYS_exit, run(stack[0], (char **)(stack + 1)), 0, 0);
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n\thlt\n");
