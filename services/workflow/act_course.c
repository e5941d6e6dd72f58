/* act_course.c - the acts that turn the course of a case: a position reconsidered, a case returned to the
 * unit, a closed case opened again */
#include "act.h"

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name

static void check_reconsider(struct act *act)
{
	act_need(act, act->order->reconsider->motive, "motive", "why the position is reconsidered");
	act_need_investigator(act, act->order->reconsider->investigator);
}

static int write_reconsider(struct act *act)
{
	const Avvik__V1__Reconsider *reconsider = act->order->reconsider;
	Avvik__V1__CaseReconsidered *reconsidered = ACT_NEW(act, CaseReconsidered, case_reconsidered);
	int status = reconsidered ? act_seal(act, reconsider->motive, &reconsidered->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	reconsidered->investigator = reconsider->investigator;
	reconsidered->state = act->next;
	return act_tell(act, EVENT(CASE_RECONSIDERED), reconsidered, ANCHOR(RECONSIDERED), NULL);
}

static void check_return(struct act *act)
{
	act_need(act, act->order->return_to_deviation->motive, "motive", "why it is a deviation after all");
}

/* The deadlines of lex Sarah end; the unit has those of a deviation, from now, unless it has assessed it. */
static int write_return(struct act *act)
{
	Avvik__V1__CaseReturnedToDeviation *returned =
		ACT_NEW(act, CaseReturnedToDeviation, case_returned_to_deviation);
	int status = returned ? act_seal(act, act->order->return_to_deviation->motive, &returned->content)
			      : AV_MEMORY;
	struct ledgers *ledgers = &act->ledgers;
	struct av_id id;

	if (status != AV_OK)
		return status;
	returned->state = act->next;
	id = act_emit(act, EVENT(CASE_RETURNED_TO_DEVIATION), returned);
	ledgers->kind = AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION;
	status = ledgers_fact(ledgers, ANCHOR(RETURNED_TO_DEVIATION), act->acted_at_ms, NULL, &id);
	if (status == AV_OK)
		status = ledgers_cancel(ledgers, true, ANCHOR(RETURNED_TO_DEVIATION), &id);
	if (status == AV_OK && !act->found->severity)
		status = ledgers_fact(ledgers, ANCHOR(RECEIVED), act->acted_at_ms, NULL, &id);
	return status;
}

static void check_reopen(struct act *act)
{
	const Avvik__V1__ReopenCase *reopen = act->order->reopen;

	act_need(act, reopen->motive, "motive", "why the case is opened again");
	if (*reopen->investigator || !*act->found->investigator)
		act_need_investigator(act, reopen->investigator);
}

/* What has ended stays so: the investigation is unlocked, a new decision is wanted, and only what then
 * happens starts deadlines. */
static int write_reopen(struct act *act)
{
	const Avvik__V1__ReopenCase *reopen = act->order->reopen;
	Avvik__V1__CaseReopened *reopened = ACT_NEW(act, CaseReopened, case_reopened);
	int status = reopened ? act_seal(act, reopen->motive, &reopened->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	reopened->investigator = *reopen->investigator ? reopen->investigator : act->found->investigator;
	reopened->state = act->next;
	return act_tell(act, EVENT(CASE_REOPENED), reopened, ANCHOR(REOPENED), NULL);
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(RECONSIDER),             "reconsider",             check_reconsider,       write_reconsider },
	{ ACT(RETURN_TO_DEVIATION),    "return_to_deviation",    check_return,           write_return },
	{ ACT(REOPEN),                 "reopen",                 check_reopen,           write_reopen },
}; /* clang-format on */
const struct act_rows act_rows_course = {rows, AV_COUNT(rows)};
