/* SPDX-License-Identifier: BSD-2-Clause */
#include "rtc_time.h"

#define DAY 86400u
#define HOUR 3600u
#define MINUTE 60u

#define HOURS_PM 0x80u
#define ALARM_ANY 0xC0u /* both top bits set: "don't care" */

/* ---- numbers in registers ------------------------------------------------------ */

static uint8_t to_register(unsigned v, uint8_t b)
{
	return (uint8_t)(b & RTC_B_BINARY ? v : v / 10 << 4 | v % 10);
}

static unsigned from_register(uint8_t v, uint8_t b)
{
	return b & RTC_B_BINARY ? v : (v >> 4) * 10u + (v & 15);
}

static uint8_t hours_to_register(unsigned h, uint8_t b)
{
	if (b & RTC_B_24_HOURS)
		return to_register(h, b);
	return (uint8_t)(to_register(h % 12 ? h % 12 : 12, b) | (h >= 12 ? HOURS_PM : 0));
}

static unsigned clamp(unsigned v, unsigned min, unsigned max)
{
	return v < min ? min : v > max ? max : v;
}

static unsigned hours_from_register(uint8_t v, uint8_t b)
{
	unsigned h;

	if (b & RTC_B_24_HOURS)
		return clamp(from_register(v, b), 0, 23);
	h = clamp(from_register(v & (uint8_t)~HOURS_PM, b), 1, 12) % 12;
	return v & HOURS_PM ? h + 12 : h;
}

/* ---- the calendar ----------------------------------------------------------------- */

static bool is_leap(uint64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_in_month(uint64_t year, unsigned month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

/* From the first day of year 0, which is a leap year, to that of `year`. */
static uint64_t days_before(uint64_t year)
{
	return year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

static uint64_t year_of(uint64_t day)
{
	uint64_t year = day * 400 / 146097; /* days in 400 years; off by at most one */

	while (days_before(year) > day)
		year--;
	while (days_before(year + 1) <= day)
		year++;
	return year;
}

/* 1 is Sunday; the first day of year 0 was a Saturday, which is 7. */
static unsigned weekday_of(uint64_t day)
{
	return (unsigned)((day + 6) % 7) + 1;
}

void rtc_encode(uint8_t field[RTC_FIELDS], uint64_t seconds, unsigned weekday_shift, uint8_t b)
{
	const uint64_t day = seconds / DAY, year = year_of(day);
	const unsigned time = (unsigned)(seconds % DAY);
	unsigned rest = (unsigned)(day - days_before(year)), month = 1;

	for (; rest >= days_in_month(year, month); month++)
		rest -= days_in_month(year, month);
	field[RTC_SECONDS] = to_register(time % MINUTE, b);
	field[RTC_MINUTES] = to_register(time % HOUR / MINUTE, b);
	field[RTC_HOURS] = hours_to_register(time / HOUR, b);
	field[RTC_WEEKDAY] = to_register((weekday_of(day) - 1 + weekday_shift) % 7 + 1, b);
	field[RTC_DAY] = to_register(rest + 1, b);
	field[RTC_MONTH] = to_register(month, b);
	field[RTC_YEAR] = to_register((unsigned)(year % 100), b);
	field[RTC_CENTURY_FIELD] = to_register((unsigned)(year / 100 % 100), b);
}

uint64_t rtc_decode(const uint8_t field[RTC_FIELDS], unsigned *weekday_shift, uint8_t b)
{
	const uint64_t year = clamp(from_register(field[RTC_CENTURY_FIELD], b), 0, 99) * 100ULL +
			      clamp(from_register(field[RTC_YEAR], b), 0, 99);
	const unsigned month = clamp(from_register(field[RTC_MONTH], b), 1, 12);
	const unsigned weekday = clamp(from_register(field[RTC_WEEKDAY], b), 1, 7);
	uint64_t day = days_before(year) - 1 +
		       clamp(from_register(field[RTC_DAY], b), 1, days_in_month(year, month));

	for (unsigned m = 1; m < month; m++)
		day += days_in_month(year, m);
	*weekday_shift = (weekday + 7 - weekday_of(day)) % 7;
	return day * DAY + hours_from_register(field[RTC_HOURS], b) * HOUR +
	       clamp(from_register(field[RTC_MINUTES], b), 0, 59) * MINUTE +
	       clamp(from_register(field[RTC_SECONDS], b), 0, 59);
}

/* ---- the alarm ----------------------------------------------------------------------- */

static bool any(uint8_t alarm)
{
	return (alarm & ALARM_ANY) == ALARM_ANY;
}

/* Minutes or seconds that never come need no search. */
static bool comes(uint8_t alarm, uint8_t b)
{
	const unsigned v = from_register(alarm, b);

	return any(alarm) || (v < 60 && to_register(v, b) == alarm);
}

/*
 * The first second of an hour, not before `from`, whose register values match
 * minutes and seconds; HOUR when there is none.
 */
static unsigned match_in_hour(struct rtc_alarm alarm, unsigned from, uint8_t b)
{
	for (unsigned minute = from / MINUTE; minute < 60; minute++) {
		unsigned second = minute == from / MINUTE ? from % MINUTE : 0;

		if (!any(alarm.minutes) && to_register(minute, b) != alarm.minutes)
			continue;
		for (; second < 60; second++)
			if (any(alarm.seconds) || to_register(second, b) == alarm.seconds)
				return minute * MINUTE + second;
	}
	return HOUR;
}

uint64_t rtc_next_alarm(struct rtc_alarm alarm, uint64_t after, uint8_t b)
{
	const uint64_t first = after + 1;
	uint64_t hour = first / HOUR;
	unsigned from = (unsigned)(first % HOUR);

	if (!comes(alarm.seconds, b) || !comes(alarm.minutes, b))
		return RTC_NO_ALARM;
	/* The hour that runs may match again tomorrow. */
	for (unsigned i = 0; i <= 24; i++, hour++, from = 0) {
		unsigned at;

		if (!any(alarm.hours) &&
		    hours_to_register((unsigned)(hour % 24), b) != alarm.hours)
			continue;
		at = match_in_hour(alarm, from, b);
		if (at < HOUR)
			return hour * HOUR + at;
	}
	return RTC_NO_ALARM;
}
