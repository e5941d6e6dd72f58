/* recurrence.c - the same unit and category returns after a measure was judged effective there
 *
 * Asked when a case opens and when it is closed with its final category. Each earlier case that is found is
 * told once, until its measures have been judged again, so that nothing here grows with the number of cases.
 */
#include "workflow.h"

#include <string.h>

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define FOUND_MAX 16 /* of one case; the others wait for the next */

static int tell_earlier(const struct recurrence *again, const struct av_id *earlier_id,
	Avvik__V1__Case *earlier, const struct av_id *because)
{
	struct av_ctx *ctx = again->ctx;
	Avvik__V1__RecurrenceFound *told =
		AV_NEW(ctx->arena, Avvik__V1__RecurrenceFound, avvik__v1__recurrence_found);
	struct av_id trace = id_of(earlier->trace_id);
	struct av_emit_options options = {.case_id = earlier_id,
		.occurred_at_ms = again->at_ms,
		.cause_id = because,
		.trace_id = earlier->trace_id.len ? &trace : NULL};

	if (!told)
		return AV_MEMORY;
	told->measure_ids = av_arena_alloc(ctx->arena, earlier->n_measures * sizeof(*told->measure_ids) + 1);
	if (!told->measure_ids)
		return AV_MEMORY;
	for (size_t i = 0; i < earlier->n_measures; i++)
		if (earlier->measures[i]->effective)
			told->measure_ids[told->n_measure_ids++] = earlier->measures[i]->measure_id;
	told->other_case_id = id_data(&again->case_id, ctx->arena);
	told->other_number = (char *)again->number;
	told->category = (char *)again->category;
	av_emit(ctx, EVENT(RECURRENCE_FOUND), told, &options);
	return AV_OK;
}

static int tell_own(const struct recurrence *again, const struct av_id *earlier_id,
	const Avvik__V1__Case *earlier, const struct av_id *because)
{
	struct av_ctx *ctx = again->ctx;
	Avvik__V1__RecurrenceNoted *told =
		AV_NEW(ctx->arena, Avvik__V1__RecurrenceNoted, avvik__v1__recurrence_noted);
	struct av_emit_options options = {
		.case_id = &again->case_id, .occurred_at_ms = again->at_ms, .cause_id = because};

	if (!told)
		return AV_MEMORY;
	told->other_case_id = id_data(earlier_id, ctx->arena);
	told->other_number = earlier->number;
	told->category = (char *)again->category;
	av_emit(ctx, EVENT(RECURRENCE_NOTED), told, &options);
	return AV_OK;
}

int recurrence_tell(const struct recurrence *again, const struct av_id *because, unsigned int *ret_noted)
{
	unsigned char key[EFFECTIVE_KEY_MAX];
	av_day since;
	struct av_iter it;
	int status = AV_OK;

	*ret_noted = 0;
	if (!again->pack || !again->pack->rules->recurrence_months || !*again->category)
		return AV_OK;
	since = av_day_before(av_local_day(again->at_ms), (int)again->pack->rules->recurrence_months,
		AV_UNIT_MONTHS, &again->pack->calendar.closures);
	it = av_iter(again->ctx->txn, TABLE_EFFECTIVE,
		av_bytes(key, effective_key(key, again->unit, again->category, NULL)), av_bytes(NULL, 0));
	while (status == AV_OK && *ret_noted < FOUND_MAX && av_iter_next(&it)) {
		struct av_id earlier_id;
		Avvik__V1__Case *earlier;

		if (it.key.size < AV_ID_SIZE || it.value.size != 8) {
			status = AV_DAMAGED;
			break;
		}
		memcpy(earlier_id.bytes, (const char *)it.key.data + it.key.size - AV_ID_SIZE, AV_ID_SIZE);
		if (memcmp(&earlier_id, &again->case_id, sizeof(earlier_id)) == 0 ||
			av_local_day((int64_t)av_get_u64(it.value.data)) < since)
			continue;
		status = case_load(again->ctx->txn, &earlier_id, again->ctx->arena, &earlier);
		if (status == AV_OK)
			status = tell_earlier(again, &earlier_id, earlier, because);
		if (status == AV_OK)
			status = tell_own(again, &earlier_id, earlier, because);
		++*ret_noted;
	}
	av_iter_end(&it);
	return status == AV_NOT_FOUND ? AV_DAMAGED : status;
}
