# SPDX-License-Identifier: BSD-2-Clause
# The guest's DSDT as a C array.  One result for every kind of build.  Include
# after mk/image.mk and mk/host.mk.

IASL   ?= iasl
DSDT_H := build/gen/dsdt.h

# Only the array is kept: iasl's own comment holds a date.
$(DSDT_H): src/vdev/dsdt.asl
	@mkdir -p $(@D)
	@$(IASL) -we -tc -p $(@D)/dsdt $< > $(@D)/dsdt.log 2>&1 || { cat $(@D)/dsdt.log; false; }
	@sed -n -e 's/^unsigned char .*/static const unsigned char dsdt_aml[] =/' \
	  -e '/^static const/,/^};/p' $(@D)/dsdt.hex > $@

$(B)/obj/vdev/guest_acpi.o $(HB)/pure/vdev/guest_acpi.o $(FUZZ_BIN): $(DSDT_H)

HVFLAGS   += -Ibuild/gen
HOSTFLAGS += -Ibuild/gen
