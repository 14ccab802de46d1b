/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest: its memory map, its devices, its images. */
#include "boot_info.h"
#include "fmt.h"
#include "guest_acpi.h"
#include "guest_mp.h"
#include "kstring.h"
#include "loader.h"
#include "pool.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

struct vm vms[CFG_MAX_VMS];
unsigned n_vms;
struct config config;

static struct vcpu *by_cpu[SMP_MAX_CPUS];

struct vcpu *vcpu_of_cpu(unsigned cpu)
{
	return by_cpu[cpu];
}

/* ---- creation ----------------------------------------------------------------- */

static void *table_page(void)
{
	return pool_alloc(PAGE_SIZE, PAGE_SIZE);
}

static bool map_memory(struct vm *vm)
{
	const uint64_t host = (uintptr_t)vm->memory.host;
	const uint64_t low = guest_low_ram_end(vm->memory.size);

	return s2_init(&vm->s2, backend->s2(), table_page) && s2_map(&vm->s2, 0, host, low) &&
	       s2_map(&vm->s2, GUEST_HIGH_RAM, host + low, vm->memory.size - low);
}

static void lapic_send(void *ctx, const struct apic_message *m, unsigned shorthand)
{
	struct vcpu *v = ctx;

	ipi_send(v->vm, v, m, shorthand);
}

static void lapic_eoi(void *ctx, uint8_t vector)
{
	struct vcpu *v = ctx;

	vioapic_eoi(&v->vm->ioapic, vector);
}

static bool create_vcpus(struct vm *vm)
{
	struct vcpu *all = pool_alloc(vm->cfg->n_cpus * sizeof(struct vcpu), 64);

	if (!all)
		return false;
	for (unsigned i = 0; i < vm->cfg->n_cpus; i++) {
		struct vcpu *v = &all[i];

		v->vm = vm;
		v->index = i;
		v->cpu = vm->cfg->cpus[i];
		v->state = VCPU_PARKED;
		v->lapic.id = i;
		v->lapic.send = lapic_send;
		v->lapic.eoi = lapic_eoi;
		v->lapic.ctx = v;
		v->hw.second_stage = (uintptr_t)vm->s2.root;
		if (!backend->vcpu_create(&v->hw, vm->index))
			return false;
		by_cpu[v->cpu] = v;
	}
	vm->n_vcpus = vm->cfg->n_cpus;
	vm->vcpus = all;
	return true;
}

const char *vm_create(struct vm *vm, const struct cfg_vm *cfg, unsigned index,
		      uint64_t host_memory)
{
	const uint64_t before = pool_used();
	void *console;

	vm->cfg = cfg;
	vm->index = index;
	vm->memory.host = (uint8_t *)(uintptr_t)host_memory;
	vm->memory.size = cfg->memory;
	if (!map_memory(vm) || !create_vcpus(vm))
		return "the hypervisor's memory is used up";
	vm->hypervisor_memory = pool_used() - before + sizeof(*vm);
	console = pool_alloc(vcon_memory(cfg->console_buffer), PAGE_SIZE);
	if (!console)
		return "the hypervisor's memory is used up";
	vm->hypervisor_memory += vcon_memory(cfg->console_buffer) - cfg->console_buffer;
	vm->console = console_add(cfg->name, console, cfg->console_buffer, cfg->overflow);
	vcon_set_focus_policy(vm->console, cfg->overflow_focus);
	if (!devices_create(vm))
		return "two devices claim the same port; change exit-port";
	n_vms = index + 1;
	return NULL;
}

/* ---- loading -------------------------------------------------------------------- */

/* The boot module for a path of the configuration; an empty path is no mistake. */
static bool find_file(const char *path, const void **data, uint64_t *size)
{
	const struct boot_module *m = path[0] ? boot_find_module(config_basename(path)) : NULL;

	*data = m ? (const void *)(uintptr_t)m->base : NULL;
	*size = m ? m->size : 0;
	return m || !path[0];
}

static bool find_images(const struct cfg_vm *cfg, struct guest_image *image, char *error,
			size_t error_size)
{
	bool found;

	*image = (struct guest_image){
		.format = cfg->format, .name = cfg->kernel, .cmdline = cfg->cmdline,
		.load = cfg->load, .entry = cfg->entry, .mode = cfg->mode,
		.n_modules = cfg->n_modules,
	};
	found = find_file(cfg->kernel, &image->kernel, &image->kernel_size) &&
		find_file(cfg->initrd, &image->initrd, &image->initrd_size);
	for (unsigned i = 0; i < cfg->n_modules; i++) {
		struct guest_module *m = &image->modules[i];

		found &= find_file(cfg->modules[i].path, &m->data, &m->size);
		m->string = cfg->modules[i].text;
	}
	/* The configuration was checked against the modules at boot. */
	if (!found)
		fmt_buf(error, error_size, "a boot module is missing");
	return found;
}

bool vm_check_images(const struct cfg_vm *cfg, char *error, size_t error_size)
{
	struct guest_image image;

	return find_images(cfg, &image, error, error_size) &&
	       loader_check(&image, cfg->memory, error, error_size);
}

static bool is_zero(const uint64_t *page)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < PAGE_SIZE / 8; i += 8)
		any |= page[i] | page[i + 1] | page[i + 2] | page[i + 3] | page[i + 4] |
		       page[i + 5] | page[i + 6] | page[i + 7];
	return any == 0;
}

/*
 * Writes only to pages that are not zero: memory that nobody has used yet is
 * then only read, which under an emulator or another hypervisor saves giving
 * it real pages: most of the time of a start.
 */
static void zero_memory(uint8_t *at, uint64_t size)
{
	for (uint64_t off = 0; off < size; off += PAGE_SIZE)
		if (!is_zero((const uint64_t *)(at + off)))
			memset(at + off, 0, PAGE_SIZE);
}

/* The tables that say what the machine is like: ACPI's, and the older MP table. */
static bool build_tables(const struct vm *vm, uint64_t *rsdp)
{
	const struct guest_acpi_config tables = {
		.n_cpus = vm->n_vcpus, .rtc = true, .hpet_id = vhpet_id(),
	};
	const struct cpuid_regs id = cpuid_offered(1, 0);
	const struct guest_mp_config mp = {
		.n_cpus = vm->n_vcpus, .signature = id.eax, .features = id.edx,
	};

	return guest_acpi_build(&vm->memory, &tables, rsdp) && guest_mp_build(&vm->memory, &mp);
}

bool vm_load(struct vm *vm, struct vcpu_regs *regs, struct vcpu_sysregs *sys, char *error,
	     size_t error_size)
{
	struct guest_image image;
	struct guest_entry entry;

	lock_acquire(&vm->lock);
	devices_reset(vm);
	lock_release(&vm->lock);
	zero_memory(vm->memory.host, vm->memory.size);
	if (!find_images(vm->cfg, &image, error, error_size))
		return false;
	if (!build_tables(vm, &image.rsdp)) {
		fmt_buf(error, error_size, "no room for the ACPI and MP tables");
		return false;
	}
	if (!loader_load(&image, &vm->memory, &entry, error, error_size))
		return false;
	*regs = entry.regs;
	*sys = entry.sys;
	return true;
}
