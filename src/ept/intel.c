/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel's extended page tables (SDM vol. 3, 28.3.2). */
#include "ept.h"

#define EPT_READ BIT(0)
#define EPT_WRITE BIT(1)
#define EPT_EXECUTE BIT(2)
#define EPT_RWX (EPT_READ | EPT_WRITE | EPT_EXECUTE)
#define EPT_LARGE BIT(7)
#define EPT_ADDRESS 0x000FFFFFFFFFF000ULL

/* Memory type of RAM; the guest's own PAT combines with it (28.3.7.2). */
#define EPT_WRITE_BACK (6ULL << 3)

#define EPT_FORMAT(text, huge)                                                                \
	{                                                                                     \
		.name = (text), .table = EPT_RWX, .leaf = EPT_RWX | EPT_WRITE_BACK,           \
		.large = EPT_LARGE, .present_mask = EPT_RWX, .address_mask = EPT_ADDRESS,     \
		.has_1g = (huge),                                                             \
	}

const struct s2_format s2_ept_1g = EPT_FORMAT("extended page tables, 1 GiB pages", true);
const struct s2_format s2_ept_2m = EPT_FORMAT("extended page tables, 2 MiB pages", false);
