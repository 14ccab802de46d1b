# SPDX-License-Identifier: BSD-2-Clause
# Running and testing the whole system.
