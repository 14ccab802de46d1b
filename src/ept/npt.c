/* SPDX-License-Identifier: BSD-2-Clause */
/* AMD's nested page tables: ordinary long-mode entries (APM vol. 2, 15.25). */
#include "ept.h"

#define NPT_P BIT(0)
#define NPT_W BIT(1)
#define NPT_U BIT(2)
#define NPT_PS BIT(7)
#define NPT_ADDRESS 0x000FFFFFFFFFF000ULL

/* Memory type 0 of the host's PAT, write-back; the guest's own type combines with it. */
#define NPT_FLAGS (NPT_P | NPT_W | NPT_U)

#define NPT_FORMAT(text, huge)                                                                \
	{                                                                                     \
		.name = (text), .table = NPT_FLAGS, .leaf = NPT_FLAGS, .large = NPT_PS,       \
		.present_mask = NPT_P, .address_mask = NPT_ADDRESS, .has_1g = (huge),         \
	}

const struct s2_format s2_npt_1g = NPT_FORMAT("nested page tables, 1 GiB pages", true);
const struct s2_format s2_npt_2m = NPT_FORMAT("nested page tables, 2 MiB pages", false);
