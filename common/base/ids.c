/* ids.c - UUID version 7
 *
 *	01970a1b 2c3d 7 abc  8 01 23456789abcd ...
 *	48 bits of milliseconds, 4 of version, the upper 12 of the counter, 2 of variant, the lower 20 of the
 *	counter, 42 random
 *
 * The counter starts at a random value below 2^31 in each millisecond (RFC 9562, 6.2, method 1), so that at
 * least 2^31 ids fit before it spills into the next millisecond.
 */
#include "base/ids.h"

#include "base/bytes.h"
#include "base/macros.h"
#include "base/status.h"

#define MS_MAX ((INT64_C(1) << 48) - 1)

struct av_id av_id_next(struct av_id_source *source, int64_t now_ms, struct av_random *random)
{
	unsigned char noise[10];
	struct av_id id;
	uint64_t high, low;

	av_random_fill(random, noise, sizeof(noise));
	now_ms = AV_MAX(AV_MIN(now_ms, MS_MAX), 0);
	if (now_ms > source->last_ms) {
		source->last_ms = now_ms;
		source->counter = av_get_u32(noise) >> 1;
	} else if (++source->counter == 0) {
		source->last_ms++;
		source->counter = av_get_u32(noise) >> 1;
	}
	high = (uint64_t)source->last_ms << 16 | UINT64_C(0x7000) | source->counter >> 20;
	low = UINT64_C(1) << 63 | (uint64_t)(source->counter & 0xfffff) << 42 |
	      (av_get_u64(noise + 2) & ((UINT64_C(1) << 42) - 1));
	av_put_u64(id.bytes, high);
	av_put_u64(id.bytes + 8, low);
	return id;
}

int64_t av_id_ms(const struct av_id *id)
{
	return (int64_t)(av_get_u64(id->bytes) >> 16);
}

void av_id_text(const struct av_id *id, char ret_text[AV_ID_TEXT])
{
	char hex[2 * AV_ID_SIZE + 1];
	size_t to = 0;

	av_hex(id->bytes, AV_ID_SIZE, hex);
	for (size_t i = 0; i < 2 * AV_ID_SIZE; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			ret_text[to++] = '-';
		ret_text[to++] = hex[i];
	}
	ret_text[to] = '\0';
}

int av_id_parse(const char *text, struct av_id *ret_id)
{
	char hex[2 * AV_ID_SIZE + 1];
	size_t to = 0;

	for (size_t i = 0; i < AV_ID_TEXT - 1; i++) {
		if (text[i] == '\0')
			return AV_INVALID;
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return AV_INVALID;
		} else {
			hex[to++] = text[i];
		}
	}
	if (text[AV_ID_TEXT - 1] != '\0')
		return AV_INVALID;
	hex[to] = '\0';
	return av_unhex(hex, ret_id->bytes, AV_ID_SIZE);
}
