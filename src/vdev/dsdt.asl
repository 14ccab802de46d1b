/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest's tables cannot say without AML: soft off, and the devices at
 * fixed addresses with their ports and ISA IRQs.  Interrupts are edge-triggered
 * and active high, as IRQNoFlags says.
 */
DefinitionBlock ("", "DSDT", 2, "BLKHD ", "BULKHEAD", 1)
{
	/* SLP_TYP 0 in PM1a control (0x604) with SLP_EN turns the guest off. */
	Name (\_S5, Package () { 0, 0 })

	Scope (\_SB)
	{
		Device (PIC)
		{
			Name (_HID, EisaId ("PNP0000")) // two 8259As
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0020, 0x0020, 0x01, 0x02)
				IO (Decode16, 0x00A0, 0x00A0, 0x01, 0x02)
				IO (Decode16, 0x04D0, 0x04D0, 0x01, 0x02)
				IRQNoFlags () { 2 } // the cascade
			})
		}

		Device (PIT)
		{
			Name (_HID, EisaId ("PNP0100")) // 8254
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0040, 0x0040, 0x01, 0x04)
				IRQNoFlags () { 0 }
			})
		}

		Device (SPKR)
		{
			Name (_HID, EisaId ("PNP0800")) // port 0x61: the gate of the 8254's channel 2
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0061, 0x0061, 0x01, 0x01)
			})
		}

		Device (RTC)
		{
			Name (_HID, EisaId ("PNP0B00")) // MC146818
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0070, 0x0070, 0x01, 0x02)
				IRQNoFlags () { 8 }
			})
		}

		/* No IRQs: in legacy replacement it has those of the PIT and of the RTC. */
		Device (HPET)
		{
			Name (_HID, EisaId ("PNP0103"))
			Name (_UID, Zero)
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xFED00000, 0x00000400)
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501")) // 16550A
			Name (_UID, One)
			Name (_STA, 0x0F)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03F8, 0x03F8, 0x01, 0x08)
				IRQNoFlags () { 4 }
			})
		}
	}
}
