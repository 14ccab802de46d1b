/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest program that hops from CPU to CPU and reads the TSC and the kernel's
 * monotonic clock on each: `tscstep CPUS ROUNDS` prints how often one of them
 * went backwards, "0 0" when all CPUs are in step.  No C library, to keep the
 * initramfs small.
 */
#define SYS_write 1
#define SYS_exit 60
#define SYS_sched_setaffinity 203
#define SYS_clock_gettime 228
#define CLOCK_MONOTONIC 1
#define STDOUT 1
#define MAX_CPUS 64

struct timespec {
	long seconds, nanoseconds;
};

static long syscall3(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static unsigned long read_tsc(void)
{
	unsigned low, high;

	/* The fence keeps the reading behind the hop. */
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (unsigned long)high << 32 | low;
}

static unsigned long read_clock(void)
{
	struct timespec t;

	syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t, 0);
	return (unsigned long)t.seconds * 1000000000UL + (unsigned long)t.nanoseconds;
}

static void print_number(unsigned long value, char end)
{
	char text[21];
	int at = sizeof(text);

	text[--at] = end;
	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	syscall3(SYS_write, STDOUT, (long)&text[at], (long)sizeof(text) - at);
}

static unsigned long parse_number(const char *text)
{
	unsigned long value = 0;

	for (; *text != '\0'; text++)
		value = value * 10 + (unsigned long)(*text - '0');
	return value;
}

static int run(long argc, char **argv)
{
	unsigned long cpus, hops, tsc = 0, clock = 0, tsc_back = 0, clock_back = 0;

	if (argc != 3)
		return 1;
	cpus = parse_number(argv[1]);
	if (cpus == 0 || cpus > MAX_CPUS)
		return 1;
	hops = cpus * parse_number(argv[2]);
	for (unsigned long i = 0; i < hops; i++) {
		const unsigned long set = 1UL << i % cpus;
		unsigned long now;

		if (syscall3(SYS_sched_setaffinity, 0, sizeof(set), (long)&set) < 0)
			return 2;
		now = read_tsc();
		tsc_back += now < tsc;
		tsc = now;
		now = read_clock();
		clock_back += now < clock;
		clock = now;
	}
	print_number(tsc_back, ' ');
	print_number(clock_back, '\n');
	return 0;
}

/* The kernel leaves the number of arguments and then their addresses on the stack. */
__attribute__((used)) static void start(long *stack)
{
	syscall3(SYS_exit, run(stack[0], (char **)(stack + 1)), 0, 0);
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n\thlt\n");
