/* act_outcome.c - the end of a case: what each needs, writes, and means
 * to deadlines */
#include "act.h"

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name

/* --- the end --- */

static void check_close(struct act *act)
{
	const Avvik__V1__CloseCase *close = act->order->close;
	const Avvik__V1__RulePack *rules = act->pack->rules;

	act_need_categories(act, close->category, *close->category ? close->subcategory : "");
	for (size_t i = 0; i < close->n_cause_areas; i++)
		act_need_code(act, rules->cause_areas, rules->n_cause_areas, close->cause_areas[i],
			"cause_areas", "cause areas");
}

/* What no fact has ended is cancelled, and the figures tell whether it was overdue; only what outlives the
 * closing runs on. */
static int close_case(struct act *act, const Avvik__V1__CloseCase *close, bool early)
{
	Avvik__V1__CaseClosed *closed = ACT_NEW(act, CaseClosed, case_closed);
	int status = closed ? act_seal(act, close->note, &closed->content) : AV_MEMORY;
	bool given = *close->category != '\0',
	     position = act->found->state == AVVIK__V1__CASE_STATE__CASE_STATE_POSITION;
	struct recurrence again;
	unsigned int noted = 0;
	struct av_id id;

	if (status != AV_OK)
		return status;
	closed->category = given ? close->category : act->found->category;
	closed->subcategory = given ? close->subcategory : act->found->subcategory;
	closed->n_cause_areas = close->n_cause_areas;
	closed->cause_areas = close->cause_areas;
	closed->degree = act->found->degree;
	closed->as_position = position;
	closed->early = early;
	id = act_emit(act, EVENT(CASE_CLOSED), closed);
	if (position)
		status = ledgers_fact(&act->ledgers, ANCHOR(CLOSED_AS_POSITION), act->acted_at_ms, NULL, &id);
	if (status == AV_OK)
		status = ledgers_fact(&act->ledgers, ANCHOR(CLOSED), act->acted_at_ms, NULL, &id);
	if (status == AV_OK)
		status = act_close_joined(act, &id);
	if (status == AV_OK)
		status = act_warn_unfinished(act);
	if (status == AV_OK)
		status = ledgers_cancel(&act->ledgers, false, ANCHOR(CLOSED), &id);
	again = (struct recurrence){act->ctx, act->pack, act->case_id, act->found->number, act->found->unit,
		closed->category, act->acted_at_ms};
	if (status == AV_OK && !early)
		status = recurrence_tell(&again, &id, &noted);
	act->events += noted;
	return status;
}

static int write_close(struct act *act)
{
	return close_case(act, act->order->close, false);
}

static void check_close_early(struct act *act)
{
	const Avvik__V1__CloseEarly *close = act->order->close_early;

	act_need(act, close->motive, "motive", "why it is closed");
	act_need_categories(act, close->category, *close->category ? close->subcategory : "");
}

static int write_close_early(struct act *act)
{
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;

	close.note = act->order->close_early->motive;
	close.category = act->order->close_early->category;
	close.subcategory = act->order->close_early->subcategory;
	return close_case(act, &close, true);
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(CLOSE),                  "close",                  check_close,            write_close },
	{ ACT(CLOSE_EARLY),            "close_early",            check_close_early,      write_close_early },
}; /* clang-format on */
const struct act_rows act_rows_outcome = {rows, AV_COUNT(rows)};
