# SPDX-License-Identifier: BSD-2-Clause
# The hypervisor's image.
