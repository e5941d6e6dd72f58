/* check_cases.c - cases and deadlines, told again from workflow's journal: states by the table (check_states.c), each
 * deadline its end, each rung at most once, and once if its time passed while it ran
 */
#include "check_inner.h"

#include <stdlib.h>
#include <string.h>

#define RUNGS_MAX AV_COUNT(((struct told_deadline *)NULL)->fired)
#define LATE_MS INT64_C(600000) /* what was queued before a rung's time and was done after it */

static struct told_deadline *deadline_of(struct told *t, ProtobufCBinaryData id)
{
	for (size_t i = t->deadline_count; i-- > 0;)
		if (t->deadlines[i].ledger->deadline_id.len == id.len &&
			memcmp(t->deadlines[i].ledger->deadline_id.data, id.data, id.len) == 0)
			return &t->deadlines[i];
	return NULL;
}

/* --- deadlines --- */

static void set_deadline(struct told *t, const Avvik__V1__Event *event)
{
	const Avvik__V1__Deadline *ledger = event->deadline_set->deadline;
	SIM_EXPECT(t->w, !deadline_of(t, ledger->deadline_id) && ledger->n_rungs <= RUNGS_MAX,
		"workflow: deadline %s is set twice", sim_hex(ledger->deadline_id));
	t->deadlines[t->deadline_count] =
		(struct told_deadline){.ledger = ledger, .set_at_ms = event->recorded_at_ms};
	if (ledger->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_STOPPED) /* as the one before it */
		t->deadlines[t->deadline_count].stopped_at_ms = event->recorded_at_ms;
	for (size_t i = 0; i < ledger->n_rungs; i++) /* said by the one whose place it took */
		if (ledger->rungs[i]->fired_at_ms) {
			t->deadlines[t->deadline_count].fired[i] = 1;
			t->deadlines[t->deadline_count].overdue_fired |=
				ledger->rungs[i]->kind == AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE;
		}
	if (ledger->supersedes.len) {
		const struct told_deadline *before = deadline_of(t, ledger->supersedes);
		SIM_EXPECT(t->w, before && before->ended_by,
			"workflow: deadline %s takes the place of one that runs",
			sim_hex(ledger->deadline_id));
		due_inherit(&t->deadlines[t->deadline_count], before);
	}
	due_check(t, &t->deadlines[t->deadline_count++]);
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
	due_check(t, found);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it stands among t->deadlines */
}

static void stop_deadline(struct told *t, const Avvik__V1__Event *event)
{
	struct told_deadline *found = deadline_of(t, event->deadline_stopped->deadline_id);
	SIM_EXPECT(t->w, found && !found->ended_by && !found->stopped_at_ms,
		"workflow: event %llu stops a deadline that does not run",
		(unsigned long long)event->sequence);
	found->stopped_at_ms = event->recorded_at_ms;
	due_stopped(t, found, event);
}

/* What follows from it comes next: planned anew, or another in its place. */
static void resume_deadline(struct told *t, const Avvik__V1__Event *event)
{
	struct told_deadline *found = deadline_of(t, event->deadline_resumed->deadline_id);
	SIM_EXPECT(t->w, found && !found->ended_by && found->stopped_at_ms,
		"workflow: event %llu lets a deadline go on that runs", (unsigned long long)event->sequence);
	due_resumed(t, found, event);
}

static void extend_deadline(struct told *t, const Avvik__V1__Event *event)
{
	struct told_deadline *found = deadline_of(t, event->deadline_extended->deadline_id);
	SIM_EXPECT(t->w, found && !found->ended_by,
		"workflow: event %llu gives a deadline more time that has ended",
		(unsigned long long)event->sequence);
	found->extended += event->deadline_extended->count;
}

/* What ended because its case was joined is set anew when that is parted, and the new one takes its place. */
static bool parted(const struct told_deadline *found, const Avvik__V1__Event *event)
{
	return found->joined && event->body_case == EVENT(DEADLINE_CANCELLED) &&
	       event->deadline_cancelled->because == AVVIK__V1__ANCHOR__ANCHOR_SUPERSEDED;
}

static void end_deadline(struct told *t, const Avvik__V1__Event *event, ProtobufCBinaryData id)
{
	struct told_deadline *found = deadline_of(t, id);
	if (found && parted(found, event)) {
		found->joined = false;
		return;
	}
	SIM_EXPECT(t->w, found && !found->ended_by,
		"workflow: event %llu ends deadline %s, which does not run",
		(unsigned long long)event->sequence, sim_hex(id));
	found->ended_by = event->sequence;
	found->ended_at_ms = event->recorded_at_ms;
	found->joined = event->body_case == EVENT(DEADLINE_CANCELLED) &&
			event->deadline_cancelled->because == AVVIK__V1__ANCHOR__ANCHOR_JOINED;
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

/* Of what passed while a case was joined to another nothing is said when it is parted: a deadline that was due then
 * runs on until it is met, late.
 */
static bool passed_while_joined(const Avvik__V1__Deadline *ledger)
{
	for (size_t i = 0; i < ledger->n_rungs; i++)
		if (ledger->rungs[i]->kind == AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE &&
			ledger->rungs[i]->passed_over)
			return ledger->supersedes.len > 0;
	return false;
}

static void check_deadline(struct told *t, const struct told_deadline *each, bool end)
{
	check_plan(t, each,
		each->stopped_at_ms ? each->stopped_at_ms - LATE_MS
		: each->ended_by    ? each->ended_at_ms - LATE_MS
				    : t->w->now_ms);
	SIM_EXPECT(t->w,
		!end || each->ended_by || each->overdue_fired || each->stopped_at_ms ||
			passed_while_joined(each->ledger),
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
			reply->case_found->case_->kind == each->kind &&
			reply->case_found->case_->ivo == each->ivo,
		"workflow: the record of case %s is not what its events say", sim_hex(get.case_id));
}

static void check_opened(struct told *t, const struct events *intake)
{
	size_t reports = 0;
	for (size_t i = 0; i < intake->count; i++) {
		if (intake->at[i]->body_case != EVENT(REPORT_FILED))
			continue;
		reports++;
		SIM_EXPECT(t->w, told_case_of(t, intake->at[i]), "workflow: report %s has no case",
			sim_hex(intake->at[i]->case_id));
	}
	SIM_EXPECT(
		t->w, reports == t->case_count, "workflow: %zu cases of %zu reports", t->case_count, reports);
}

static void tell(struct told *t, const Avvik__V1__Event *event)
{
	switch (event->body_case) {
	case EVENT(CASE_OPENED):
		tell_opened(t, event);
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
		tell_state(t, event);
		break;
	case EVENT(DEADLINE_RESUMED):
		resume_deadline(t, event);
		tell_state(t, event);
		break;
	case EVENT(DEADLINE_EXTENDED):
		extend_deadline(t, event);
		tell_state(t, event);
		break;
	case EVENT(DEADLINE_REPLANNED):
		replan_deadline(t, event);
		break;
	case EVENT(RUNG_FIRED):
		fire_rung(t, event);
		break;
	default:
		tell_state(t, event);
	}
}

void check_cases(struct world *w, const struct events *events, bool end)
{
	const struct events *workflow = &events[WORKFLOW];
	struct told t = {.w = w, .end = end};
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
