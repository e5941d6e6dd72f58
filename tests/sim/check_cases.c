/* check_cases.c - cases and deadlines, told again from workflow's journal: states by the table, each deadline
 * its end, each rung at most once, and once if its time passed while it ran
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "../../services/workflow/case_rules.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define RUNGS_MAX 16
#define LATE_MS INT64_C(600000) /* what was queued before a rung's time and was done after it */

struct told_case {
	struct av_id id;
	Avvik__V1__CaseKind kind;
	Avvik__V1__CaseState state;
	unsigned int acts;
};

struct told_deadline {
	const Avvik__V1__Deadline *ledger;
	int64_t set_at_ms, ended_at_ms, stopped_at_ms; /* recorded */
	bool overdue_fired;
	unsigned int fired[RUNGS_MAX];
	uint64_t ended_by;
};

struct told {
	struct world *w;
	struct told_case *cases;
	size_t case_count;
	struct told_deadline *deadlines;
	size_t deadline_count;
};

static struct told_case *case_of(struct told *t, const Avvik__V1__Event *event)
{
	struct av_id id = sim_id(event->case_id);
	for (size_t i = t->case_count; i-- > 0;)
		if (memcmp(&t->cases[i].id, &id, sizeof id) == 0)
			return &t->cases[i];
	return NULL;
}

static struct told_deadline *deadline_of(struct told *t, ProtobufCBinaryData id)
{
	for (size_t i = t->deadline_count; i-- > 0;)
		if (t->deadlines[i].ledger->deadline_id.len == id.len &&
			memcmp(t->deadlines[i].ledger->deadline_id.data, id.data, id.len) == 0)
			return &t->deadlines[i];
	return NULL;
}

/* --- states --- */

static const struct {
	unsigned int event;
	enum case_act acts[3];
	size_t count;
} by_event[] = {
	/* clang-format off */
	{EVENT(CASE_PLACED),             {CASE_ACT_PLACE, CASE_ACT_PLACE_LAST}, 2},
	{EVENT(REPORTER_NAMED),          {CASE_ACT_NAME_REPORTER, CASE_ACT_NAME_REPORTER_LAST}, 2},
	{EVENT(CASE_ASSESSED_INITIALLY), {CASE_ACT_INVESTIGATE, CASE_ACT_TAKE_POSITION}, 2},
	{EVENT(INVESTIGATION_COMPLETED), {CASE_ACT_COMPLETE}, 1},
	{EVENT(CASE_DECIDED),            {CASE_ACT_DECIDE}, 1},
	{EVENT(MEASURE_PROPOSED),        {CASE_ACT_PROPOSE}, 1},
	{EVENT(PROPOSAL_DECIDED),        {CASE_ACT_APPROVE, CASE_ACT_REJECT}, 2},
	{EVENT(EFFECT_JUDGED),           {CASE_ACT_EVALUATE_PART}, 1},
	{EVENT(MEASURE_DECIDED),         {CASE_ACT_DECIDE_MEASURE}, 1},
	{EVENT(NO_MEASURES_DECIDED),     {CASE_ACT_NO_MEASURES}, 1},
	{EVENT(MEASURE_EXECUTED),        {CASE_ACT_EXECUTE, CASE_ACT_EXECUTE_LAST}, 2},
	{EVENT(MEASURE_EVALUATED),       {CASE_ACT_EVALUATE, CASE_ACT_EVALUATE_WANTING}, 2},
	{EVENT(CASE_CLOSED),             {CASE_ACT_CLOSE, CASE_ACT_CLOSE_EARLY}, 2},
	{EVENT(CASE_TAKEN_FOR_REVIEW),   {CASE_ACT_TAKE}, 1},
	{EVENT(COMPLETION_REQUESTED),    {CASE_ACT_REQUEST}, 1},
	{EVENT(COMPLETION_ANSWERED),     {CASE_ACT_ANSWER}, 1},
	{EVENT(INQUIRY_BEGUN),           {CASE_ACT_BEGIN_INQUIRY}, 1},
	{EVENT(RISK_ASSESSED),           {CASE_ACT_ASSESS_RISK}, 1},
	{EVENT(INQUIRY_COMPLETED),       {CASE_ACT_COMPLETE_INQUIRY}, 1},
	{EVENT(CASE_TURNED_LEX_SARAH),   {CASE_ACT_TURN, CASE_ACT_ASSESS_RISK_TURNS}, 2},
	{EVENT(CASE_REMEDIED),           {CASE_ACT_REMEDY}, 1},
	{EVENT(AFFECTED_INFORMED),       {CASE_ACT_INFORM}, 1},
	{EVENT(SERIOUS_FOUND),           {CASE_ACT_FIND_SERIOUS}, 1},
	{EVENT(ENTRY_RECORDED),          {CASE_ACT_RECORD_ENTRY}, 1},
	{EVENT(IVO_NOTIFIED),            {CASE_ACT_NOTIFY_IVO}, 1},
	{EVENT(INVESTIGATION_HANDED_IN), {CASE_ACT_HAND_IN}, 1},
}; /* clang-format on */

/* The state that an event says it leads to; UNSPECIFIED: it says none, and there is none to change. */
static Avvik__V1__CaseState state_told(const Avvik__V1__Event *event)
{
	const ProtobufCFieldDescriptor *field = av_body_field(&event->base);
	const ProtobufCFieldDescriptor *state =
		protobuf_c_message_descriptor_get_field_by_name(field->descriptor, "state");
	if (!state)
		return AVVIK__V1__CASE_STATE__CASE_STATE_UNSPECIFIED;
	return *(const Avvik__V1__CaseState *)(const void *)((const char *)av_body(&event->base) +
							     state->offset);
}

static void follow_state(struct told *t, const Avvik__V1__Event *event)
{
	struct told_case *found = case_of(t, event);
	for (size_t i = 0; i < AV_COUNT(by_event); i++) {
		if (by_event[i].event != (unsigned int)event->body_case)
			continue;
		if (event->body_case == EVENT(CASE_REMEDIED) && event->case_remedied->by_report)
			return;
		SIM_EXPECT(t->w, found, "workflow: event %llu of a case that was never opened",
			(unsigned long long)event->sequence);
		Avvik__V1__CaseState to = state_told(event);
		if (event->body_case == EVENT(CASE_CLOSED))
			to = AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED;
		for (size_t k = 0; k < by_event[i].count; k++) {
			Avvik__V1__CaseState next = case_next(found->kind, found->state, by_event[i].acts[k]);
			if (!next || (to && next != to))
				continue;
			found->state = next;
			found->acts++;
			if (event->body_case == EVENT(CASE_TURNED_LEX_SARAH))
				found->kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
			return;
		}
		sim_fail(t->w,
			"workflow: event %llu takes case %s from %s to %s, which the table does not know",
			(unsigned long long)event->sequence, sim_hex(event->case_id),
			case_state_name(found->state), case_state_name(to));
	}
}

static void open_case(struct told *t, const Avvik__V1__Event *event)
{
	SIM_EXPECT(t->w, !case_of(t, event), "workflow: case %s is opened twice", sim_hex(event->case_id));
	t->cases[t->case_count++] = (struct told_case){.id = sim_id(event->case_id),
		.kind = event->case_opened->kind,
		.state = event->case_opened->state};
}

/* --- deadlines --- */

static void set_deadline(struct told *t, const Avvik__V1__Event *event)
{
	const Avvik__V1__Deadline *ledger = event->deadline_set->deadline;
	SIM_EXPECT(t->w, !deadline_of(t, ledger->deadline_id) && ledger->n_rungs <= RUNGS_MAX,
		"workflow: deadline %s is set twice", sim_hex(ledger->deadline_id));
	t->deadlines[t->deadline_count] =
		(struct told_deadline){.ledger = ledger, .set_at_ms = event->recorded_at_ms};
	for (size_t i = 0; i < ledger->n_rungs; i++) /* said by the one whose place it took */
		if (ledger->rungs[i]->fired_at_ms) {
			t->deadlines[t->deadline_count].fired[i] = 1;
			t->deadlines[t->deadline_count].overdue_fired |=
				ledger->rungs[i]->kind == AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE;
		}
	t->deadline_count++;
}

static void check_plan(struct told *t, const struct told_deadline *each, int64_t until_ms);

/* Until then the plan before held; from then on this one. */
static void replan_deadline(struct told *t, const Avvik__V1__Event *event)
{
	const Avvik__V1__Deadline *ledger = event->deadline_replanned->deadline;
	struct told_deadline *found = deadline_of(t, ledger->deadline_id);
	SIM_EXPECT(t->w, found && !found->ended_by && ledger->n_rungs <= RUNGS_MAX,
		"workflow: deadline %s is planned anew, which does not run", sim_hex(ledger->deadline_id));
	check_plan(t, found, (found->stopped_at_ms ? found->stopped_at_ms : event->recorded_at_ms) - LATE_MS);
	found->ledger = ledger;
	found->set_at_ms = event->recorded_at_ms;
	found->stopped_at_ms = 0;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it stands among t->deadlines */
}

static void stop_deadline(struct told *t, const Avvik__V1__Event *event)
{
	struct told_deadline *found = deadline_of(t, event->deadline_stopped->deadline_id);
	SIM_EXPECT(t->w, found && !found->ended_by && !found->stopped_at_ms,
		"workflow: event %llu stops a deadline that does not run",
		(unsigned long long)event->sequence);
	found->stopped_at_ms = event->recorded_at_ms;
}

static void end_deadline(struct told *t, const Avvik__V1__Event *event, ProtobufCBinaryData id)
{
	struct told_deadline *found = deadline_of(t, id);
	SIM_EXPECT(t->w, found && !found->ended_by,
		"workflow: event %llu ends deadline %s, which does not run",
		(unsigned long long)event->sequence, sim_hex(id));
	found->ended_by = event->sequence;
	found->ended_at_ms = event->recorded_at_ms;
}

static void fire_rung(struct told *t, const Avvik__V1__Event *event)
{
	const Avvik__V1__RungFired *fired = event->rung_fired;
	struct told_deadline *found = deadline_of(t, fired->deadline_id);
	SIM_EXPECT(t->w, found && fired->rung < found->ledger->n_rungs,
		"workflow: event %llu is a rung of nothing", (unsigned long long)event->sequence);
	SIM_EXPECT(t->w, !found->ended_by, "workflow: rung %u of deadline %s (%s) fired after its end",
		fired->rung, sim_hex(fired->deadline_id), fired->rule);
	SIM_EXPECT(t->w, ++found->fired[fired->rung] == 1,
		"workflow: rung %u of deadline %s (%s) fired twice", fired->rung, sim_hex(fired->deadline_id),
		fired->rule);
	SIM_EXPECT(t->w, found->ledger->rungs[fired->rung]->at_ms <= event->recorded_at_ms,
		"workflow: rung %u of deadline %s fired before its time", fired->rung,
		sim_hex(fired->deadline_id));
	found->overdue_fired |= fired->kind == AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE;
	t->w->count.rungs++;
}

static void check_deadline(struct told *t, const struct told_deadline *each, bool end)
{
	check_plan(t, each,
		each->stopped_at_ms ? each->stopped_at_ms - LATE_MS
		: each->ended_by    ? each->ended_at_ms - LATE_MS
				    : t->w->now_ms);
	SIM_EXPECT(t->w, !end || each->ended_by || each->overdue_fired || each->stopped_at_ms,
		"workflow: deadline %s (%s) is neither met, missed nor cancelled",
		sim_hex(each->ledger->deadline_id), each->ledger->rule);
}

static bool put_off(const struct node *n, const struct told_deadline *each)
{
	for (size_t i = 0; i < AV_MIN(n->wait_count, AV_COUNT(n->waits)); i++)
		if (each->ended_at_ms >= n->waits[i].from_ms && each->ended_at_ms <= n->waits[i].to_ms)
			return true;
	return false;
}

static void check_plan(struct told *t, const struct told_deadline *each, int64_t until_ms)
{
	const Avvik__V1__Deadline *ledger = each->ledger;
	/* Due work that has ended the process twice is held back, and so is for a second what a full disk did
	 * not take; what was ended meanwhile fires nothing. */
	bool held_back = each->ended_by &&
			 (t->w->nodes[WORKFLOW].due_crashes >= 2 || put_off(&t->w->nodes[WORKFLOW], each));
	for (size_t i = 0; i < ledger->n_rungs; i++) {
		const Avvik__V1__RungPlanned *rung = ledger->rungs[i];
		if (rung->passed_over)
			SIM_EXPECT(t->w, each->fired[i] == 0,
				"workflow: rung %zu of deadline %s was passed over, and fired", i,
				sim_hex(ledger->deadline_id));
		else if (!held_back && rung->at_ms < until_ms && each->set_at_ms < until_ms)
			SIM_EXPECT(t->w, each->fired[i] == 1,
				"workflow: the time of rung %zu (%lld) of deadline %s (%s, set at %lld, "
				"ended at %lld) passed, "
				"and it did not fire",
				i, (long long)rung->at_ms, sim_hex(ledger->deadline_id), ledger->rule,
				(long long)each->set_at_ms, (long long)each->ended_at_ms);
	}
}

/* What the daemon answers is what its journal tells. */
static void check_answer(struct world *w, const struct told_case *each)
{
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	struct av_id id = each->id;
	get.case_id = (ProtobufCBinaryData){AV_ID_SIZE, id.bytes};
	const Avvik__V1__Reply *reply =
		node_ask(&w->nodes[WORKFLOW], CASES, AVVIK__V1__COMMAND__BODY_GET_CASE, &get.base);
	SIM_EXPECT(w,
		reply && reply->case_found && reply->case_found->case_->state == each->state &&
			reply->case_found->case_->kind == each->kind,
		"workflow: the record of case %s is not what its events say", sim_hex(get.case_id));
}

static void check_opened(struct told *t, const struct events *intake)
{
	size_t reports = 0;
	for (size_t i = 0; i < intake->count; i++) {
		if (intake->at[i]->body_case != EVENT(REPORT_FILED))
			continue;
		reports++;
		SIM_EXPECT(t->w, case_of(t, intake->at[i]), "workflow: report %s has no case",
			sim_hex(intake->at[i]->case_id));
	}
	SIM_EXPECT(
		t->w, reports == t->case_count, "workflow: %zu cases of %zu reports", t->case_count, reports);
}

static void tell(struct told *t, const Avvik__V1__Event *event)
{
	switch (event->body_case) {
	case EVENT(CASE_OPENED):
		open_case(t, event);
		break;
	case EVENT(DEADLINE_SET):
		set_deadline(t, event);
		break;
	case EVENT(DEADLINE_MET):
		end_deadline(t, event, event->deadline_met->deadline_id);
		break;
	case EVENT(DEADLINE_CANCELLED):
		end_deadline(t, event, event->deadline_cancelled->deadline_id);
		break;
	case EVENT(DEADLINE_STOPPED):
		stop_deadline(t, event);
		break;
	case EVENT(DEADLINE_REPLANNED):
		replan_deadline(t, event);
		break;
	case EVENT(RUNG_FIRED):
		fire_rung(t, event);
		break;
	default:
		follow_state(t, event);
	}
}

void check_cases(struct world *w, const struct events *events, bool end)
{
	const struct events *workflow = &events[WORKFLOW];
	struct told t = {.w = w};
	t.cases = calloc(workflow->count + 1, sizeof *t.cases);
	t.deadlines = calloc(workflow->count + 1, sizeof *t.deadlines);
	if (!t.cases || !t.deadlines)
		abort();
	w->count.rungs = w->count.closed = 0;
	for (size_t i = 0; i < workflow->count; i++)
		tell(&t, workflow->at[i]);
	check_opened(&t, &events[INTAKE]);
	for (size_t i = 0; i < t.deadline_count; i++)
		check_deadline(&t, &t.deadlines[i], end);
	for (size_t i = 0; i < t.case_count; i++) {
		check_answer(w, &t.cases[i]);
		w->count.closed += t.cases[i].state == AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED;
	}
	free(t.cases);
	free(t.deadlines);
}
