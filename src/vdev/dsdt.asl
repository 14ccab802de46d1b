/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's tables cannot say without AML: soft off, and the serial port. */
DefinitionBlock ("", "DSDT", 2, "BLKHD ", "BULKHEAD", 1)
{
	/* SLP_TYP 0 in PM1a control (0x604) with SLP_EN turns the guest off. */
	Name (\_S5, Package () { 0, 0 })

	Scope (\_SB)
	{
		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501")) // 16550A
			Name (_UID, One)
			Name (_STA, 0x0F)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03F8, 0x03F8, 0x01, 0x08)
				IRQNoFlags () { 4 } // edge, active high
			})
		}
	}
}
