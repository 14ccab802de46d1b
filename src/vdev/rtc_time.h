/* SPDX-License-Identifier: BSD-2-Clause */
/* The RTC's registers as times, and back.  Seconds are counted from the first day of year 0. */
#ifndef BULKHEAD_RTC_TIME_H
#define BULKHEAD_RTC_TIME_H

#include "vdev_rtc.h"

#define RTC_UNIX_EPOCH (719528ULL * 86400) /* the first day of 1970 */
#define RTC_NO_ALARM UINT64_MAX

/* How registers hold numbers: two bits of register B. */
#define RTC_B_BINARY BIT(2)
#define RTC_B_24_HOURS BIT(1)

struct rtc_alarm {
	uint8_t seconds, minutes, hours; /* as registers hold them */
};

/* `weekday_shift` is added to the right day of the week, modulo 7. */
void rtc_encode(uint8_t field[RTC_FIELDS], uint64_t seconds, unsigned weekday_shift, uint8_t b);
/* Any bytes: what is out of range is brought to the nearest value in it. */
uint64_t rtc_decode(const uint8_t field[RTC_FIELDS], unsigned *weekday_shift, uint8_t b);
/* The first second after `after` that the alarm matches, or RTC_NO_ALARM. */
uint64_t rtc_next_alarm(struct rtc_alarm alarm, uint64_t after, uint8_t b);

#endif
