/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMCS fields that are used, named once (Intel SDM vol. 3, appendix B), and checked access. */
#ifndef VMX_VMCS_H
#define VMX_VMCS_H

#include "insn.h"
#include "types.h"

/* FIELD(name, encoding); bits 13-14 of an encoding tell the width. */
#define VMCS_FIELDS(FIELD)                                                                    \
	FIELD(VPID, 0x0000)                                                                   \
	FIELD(GUEST_ES_SELECTOR, 0x0800)                                                      \
	FIELD(GUEST_CS_SELECTOR, 0x0802)                                                      \
	FIELD(GUEST_SS_SELECTOR, 0x0804)                                                      \
	FIELD(GUEST_DS_SELECTOR, 0x0806)                                                      \
	FIELD(GUEST_FS_SELECTOR, 0x0808)                                                      \
	FIELD(GUEST_GS_SELECTOR, 0x080A)                                                      \
	FIELD(GUEST_LDTR_SELECTOR, 0x080C)                                                    \
	FIELD(GUEST_TR_SELECTOR, 0x080E)                                                      \
	FIELD(HOST_ES_SELECTOR, 0x0C00)                                                       \
	FIELD(HOST_CS_SELECTOR, 0x0C02)                                                       \
	FIELD(HOST_SS_SELECTOR, 0x0C04)                                                       \
	FIELD(HOST_DS_SELECTOR, 0x0C06)                                                       \
	FIELD(HOST_FS_SELECTOR, 0x0C08)                                                       \
	FIELD(HOST_GS_SELECTOR, 0x0C0A)                                                       \
	FIELD(HOST_TR_SELECTOR, 0x0C0C)                                                       \
	FIELD(IO_BITMAP_A, 0x2000)                                                            \
	FIELD(IO_BITMAP_B, 0x2002)                                                            \
	FIELD(MSR_BITMAP, 0x2004)                                                             \
	FIELD(EPT_POINTER, 0x201A)                                                            \
	FIELD(GUEST_PHYSICAL_ADDRESS, 0x2400)                                                 \
	FIELD(VMCS_LINK_POINTER, 0x2800)                                                      \
	FIELD(GUEST_DEBUGCTL, 0x2802)                                                         \
	FIELD(GUEST_PAT, 0x2804)                                                              \
	FIELD(GUEST_EFER, 0x2806)                                                             \
	FIELD(GUEST_PDPTE0, 0x280A)                                                           \
	FIELD(GUEST_PDPTE1, 0x280C)                                                           \
	FIELD(GUEST_PDPTE2, 0x280E)                                                           \
	FIELD(GUEST_PDPTE3, 0x2810)                                                           \
	FIELD(HOST_PAT, 0x2C00)                                                               \
	FIELD(HOST_EFER, 0x2C02)                                                              \
	FIELD(PIN_CONTROLS, 0x4000)                                                           \
	FIELD(CPU_CONTROLS, 0x4002)                                                           \
	FIELD(EXCEPTION_BITMAP, 0x4004)                                                       \
	FIELD(PF_ERROR_MASK, 0x4006)                                                          \
	FIELD(PF_ERROR_MATCH, 0x4008)                                                         \
	FIELD(CR3_TARGET_COUNT, 0x400A)                                                       \
	FIELD(EXIT_CONTROLS, 0x400C)                                                          \
	FIELD(EXIT_MSR_STORE_COUNT, 0x400E)                                                   \
	FIELD(EXIT_MSR_LOAD_COUNT, 0x4010)                                                    \
	FIELD(ENTRY_CONTROLS, 0x4012)                                                         \
	FIELD(ENTRY_MSR_LOAD_COUNT, 0x4014)                                                   \
	FIELD(ENTRY_INTERRUPTION, 0x4016)                                                     \
	FIELD(ENTRY_ERROR_CODE, 0x4018)                                                       \
	FIELD(ENTRY_INSTRUCTION_LENGTH, 0x401A)                                               \
	FIELD(CPU_CONTROLS2, 0x401E)                                                          \
	FIELD(INSTRUCTION_ERROR, 0x4400)                                                      \
	FIELD(EXIT_REASON, 0x4402)                                                            \
	FIELD(EXIT_INTERRUPTION, 0x4404)                                                      \
	FIELD(EXIT_ERROR_CODE, 0x4406)                                                        \
	FIELD(VECTORING_INFO, 0x4408)                                                         \
	FIELD(VECTORING_ERROR_CODE, 0x440A)                                                   \
	FIELD(EXIT_INSTRUCTION_LENGTH, 0x440C)                                                \
	FIELD(GUEST_ES_LIMIT, 0x4800)                                                         \
	FIELD(GUEST_CS_LIMIT, 0x4802)                                                         \
	FIELD(GUEST_SS_LIMIT, 0x4804)                                                         \
	FIELD(GUEST_DS_LIMIT, 0x4806)                                                         \
	FIELD(GUEST_FS_LIMIT, 0x4808)                                                         \
	FIELD(GUEST_GS_LIMIT, 0x480A)                                                         \
	FIELD(GUEST_LDTR_LIMIT, 0x480C)                                                       \
	FIELD(GUEST_TR_LIMIT, 0x480E)                                                         \
	FIELD(GUEST_GDTR_LIMIT, 0x4810)                                                       \
	FIELD(GUEST_IDTR_LIMIT, 0x4812)                                                       \
	FIELD(GUEST_ES_RIGHTS, 0x4814)                                                        \
	FIELD(GUEST_CS_RIGHTS, 0x4816)                                                        \
	FIELD(GUEST_SS_RIGHTS, 0x4818)                                                        \
	FIELD(GUEST_DS_RIGHTS, 0x481A)                                                        \
	FIELD(GUEST_FS_RIGHTS, 0x481C)                                                        \
	FIELD(GUEST_GS_RIGHTS, 0x481E)                                                        \
	FIELD(GUEST_LDTR_RIGHTS, 0x4820)                                                      \
	FIELD(GUEST_TR_RIGHTS, 0x4822)                                                        \
	FIELD(GUEST_INTERRUPTIBILITY, 0x4824)                                                 \
	FIELD(GUEST_ACTIVITY, 0x4826)                                                         \
	FIELD(GUEST_SYSENTER_CS, 0x482A)                                                      \
	FIELD(HOST_SYSENTER_CS, 0x4C00)                                                       \
	FIELD(CR0_MASK, 0x6000)                                                               \
	FIELD(CR4_MASK, 0x6002)                                                               \
	FIELD(CR0_SHADOW, 0x6004)                                                             \
	FIELD(CR4_SHADOW, 0x6006)                                                             \
	FIELD(EXIT_QUALIFICATION, 0x6400)                                                     \
	FIELD(GUEST_CR0, 0x6800)                                                              \
	FIELD(GUEST_CR3, 0x6802)                                                              \
	FIELD(GUEST_CR4, 0x6804)                                                              \
	FIELD(GUEST_ES_BASE, 0x6806)                                                          \
	FIELD(GUEST_CS_BASE, 0x6808)                                                          \
	FIELD(GUEST_SS_BASE, 0x680A)                                                          \
	FIELD(GUEST_DS_BASE, 0x680C)                                                          \
	FIELD(GUEST_FS_BASE, 0x680E)                                                          \
	FIELD(GUEST_GS_BASE, 0x6810)                                                          \
	FIELD(GUEST_LDTR_BASE, 0x6812)                                                        \
	FIELD(GUEST_TR_BASE, 0x6814)                                                          \
	FIELD(GUEST_GDTR_BASE, 0x6816)                                                        \
	FIELD(GUEST_IDTR_BASE, 0x6818)                                                        \
	FIELD(GUEST_DR7, 0x681A)                                                              \
	FIELD(GUEST_RSP, 0x681C)                                                              \
	FIELD(GUEST_RIP, 0x681E)                                                              \
	FIELD(GUEST_RFLAGS, 0x6820)                                                           \
	FIELD(GUEST_PENDING_DEBUG, 0x6822)                                                    \
	FIELD(GUEST_SYSENTER_ESP, 0x6824)                                                     \
	FIELD(GUEST_SYSENTER_EIP, 0x6826)                                                     \
	FIELD(HOST_CR0, 0x6C00)                                                               \
	FIELD(HOST_CR3, 0x6C02)                                                               \
	FIELD(HOST_CR4, 0x6C04)                                                               \
	FIELD(HOST_FS_BASE, 0x6C06)                                                           \
	FIELD(HOST_GS_BASE, 0x6C08)                                                           \
	FIELD(HOST_TR_BASE, 0x6C0A)                                                           \
	FIELD(HOST_GDTR_BASE, 0x6C0C)                                                         \
	FIELD(HOST_IDTR_BASE, 0x6C0E)                                                         \
	FIELD(HOST_SYSENTER_ESP, 0x6C10)                                                      \
	FIELD(HOST_SYSENTER_EIP, 0x6C12)                                                      \
	FIELD(HOST_RSP, 0x6C14)                                                               \
	FIELD(HOST_RIP, 0x6C16)

#define VMCS_ENUM(name, encoding) VMCS_##name = (encoding),
enum vmcs_field { VMCS_FIELDS(VMCS_ENUM) };
#undef VMCS_ENUM

const char *vmcs_field_name(enum vmcs_field field);
void vmcs_read_failed(enum vmcs_field field);
void vmcs_write_failed(enum vmcs_field field, uint64_t value);

/*
 * Of the VMCS that is current on this CPU.  A failure is a bug of ours: it is
 * logged with field, value and instruction error; a read then gives 0.
 */
static inline uint64_t vmcs_read(enum vmcs_field field)
{
	uint64_t value;

	if (insn_vmread(field, &value))
		return value;
	vmcs_read_failed(field);
	return 0;
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value)
{
	if (!insn_vmwrite(field, value))
		vmcs_write_failed(field, value);
}

/* Segment fields lie in the order of enum segment, two apart. */
static inline enum vmcs_field vmcs_segment(enum vmcs_field es_field, unsigned segment)
{
	return (enum vmcs_field)((unsigned)es_field + 2 * segment);
}


#endif
