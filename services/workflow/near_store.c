/* near_store.c - open cases by unit and day of their event, so that what may be the same event is found by a look-up
 *
 * A report of something noticed at hemtjanst on 2026-04-07 (day 20550):
 *
 *	key    68 65 6d 74 6a 61 6e 73 74  00   00 00 50 46   01 9d 5e 2a 3c 00 70 00 80 00 00 00 00 00 00 07
 *	       unit                        NUL  day           case id
 *
 * The day of a case never changes; its unit may, and it leaves the index when it is closed or joined.
 */
#include "workflow_store.h"

#include <string.h>

#include "base/macros.h"
#include "case_rules.h"

#define UNIT_MAX 200

_Static_assert(UNIT_MAX + 1 + 4 + AV_ID_SIZE <= NEAR_KEY_MAX, "a key has room for its unit");

size_t near_key(unsigned char key[NEAR_KEY_MAX], const char *unit, av_day day, const struct av_id *id)
{
	size_t at = strnlen(unit, UNIT_MAX);

	memcpy(key, unit, at);
	key[at++] = '\0';
	av_put_u32(key + at, (uint32_t)AV_MAX(day, 0));
	at += 4;
	if (!id)
		return at;
	memcpy(key + at, id->bytes, AV_ID_SIZE);
	return at + AV_ID_SIZE;
}

int64_t case_happened_ms(const Avvik__V1__Case *found)
{
	return found->occurred_at_ms ? found->occurred_at_ms : found->noticed_at_ms;
}

void near_store(
	struct av_txn *txn, const struct av_id *id, struct case_place was, const Avvik__V1__Case *record)
{
	unsigned char key[NEAR_KEY_MAX];
	int64_t happened_ms = case_happened_ms(record);
	av_day day = av_local_day(happened_ms);
	bool before = was.unit && case_open((Avvik__V1__CaseState)was.state),
	     after = case_open(record->state), same = before && after && strcmp(was.unit, record->unit) == 0;

	if (happened_ms <= 0 || same)
		return;
	if (before)
		av_delete(txn, TABLE_NEAR, av_bytes(key, near_key(key, was.unit, day, id)));
	if (after)
		av_put(txn, TABLE_NEAR, av_bytes(key, near_key(key, record->unit, day, id)),
			av_bytes(NULL, 0));
}
