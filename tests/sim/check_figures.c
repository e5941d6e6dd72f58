/* check_figures.c - reporting's figures beside a recount of workflow's journal that shares no code with
 * reporting but the reading of a record's key
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "../../services/reporting/reporting_store.h"
#include "base/calendar.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define M(name) AVVIK__V1__MEASUREMENT__MEASUREMENT_##name

#define AGAIN_MAX 64

struct fact { /* a case, a deadline or a measure as it stands at the end */
	struct av_id id, case_id;
	int what; /* 'c' 'd' 'm' */
	const char *unit, *rule;
	Avvik__V1__CaseKind kind, kind_received;
	Avvik__V1__Degree degree;
	av_day received_on, decided_on, closed_on, turned_on, returned_on, joined_on, due_on;
	av_day notified_on[AGAIN_MAX], reopened_on[AGAIN_MAX]; /* each time counts */
	size_t notified, reopened;
	int outcome; /* deadline: 0 running, 1 met, 2 missed, 3 cancelled; measure: its measurement */
};

struct figure {
	char key[160];
	int64_t value;
	int64_t got;
};

struct recount {
	struct world *w;
	struct fact *facts;
	size_t count;
	struct figure *figures;
	size_t figure_count, figure_room;
	const struct events *intake; /* with every directory: a unit that has gone counts where it stood */
};

static struct fact *fact_of(struct recount *r, int what, ProtobufCBinaryData data)
{
	struct av_id id = sim_id(data);
	for (size_t i = r->count; i-- > 0;)
		if (r->facts[i].what == what && memcmp(&r->facts[i].id, &id, sizeof id) == 0)
			return &r->facts[i];
	return NULL;
}

static struct fact *fact_new(
	struct recount *r, int what, ProtobufCBinaryData id, const Avvik__V1__Event *event)
{
	struct fact *fact = &r->facts[r->count++];
	const struct fact *of_case = what == 'c' ? NULL : fact_of(r, 'c', event->case_id);
	*fact = (struct fact){.id = sim_id(id), .case_id = sim_id(event->case_id), .what = what, .rule = ""};
	if (of_case) {
		fact->unit = of_case->unit;
		fact->kind = of_case->kind;
	}
	return fact;
}

static void place(struct recount *r, const Avvik__V1__Event *event)
{
	struct av_id id = sim_id(event->case_id);
	for (size_t i = 0; i < r->count; i++)
		if (memcmp(&r->facts[i].case_id, &id, sizeof id) == 0)
			r->facts[i].unit = event->case_placed->unit;
	if (event->case_placed->kind)
		fact_of(r, 'c', event->case_id)->kind = event->case_placed->kind;
}

static void again(struct recount *r, av_day days[AGAIN_MAX], size_t *count, av_day on)
{
	SIM_EXPECT(
		r->w, *count < AGAIN_MAX, "a case is opened again, or notified, too often for the recount");
	days[(*count)++] = on;
}

static void take_case(struct recount *r, const Avvik__V1__Event *event)
{
	av_day on = av_local_day(event->occurred_at_ms);
	struct fact *fact = fact_of(r, 'c', event->case_id);
	switch (event->body_case) {
	case EVENT(CASE_OPENED):
		fact = fact_new(r, 'c', event->case_id, event);
		fact->unit = event->case_opened->unit;
		fact->kind = fact->kind_received = event->case_opened->kind;
		fact->received_on = av_local_day(event->case_opened->received_at_ms);
		break;
	case EVENT(CASE_PLACED):
		place(r, event);
		break;
	case EVENT(CASE_DECIDED):
		fact->degree = event->case_decided->degree;
		fact->decided_on = on;
		break;
	case EVENT(CASE_CLOSED):
		fact->degree = event->case_closed->degree ? event->case_closed->degree : fact->degree;
		fact->closed_on = on;
		break;
	case EVENT(CASE_TURNED_LEX_SARAH):
		fact->kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
		fact->turned_on = on;
		break;
	case EVENT(CASE_RETURNED_TO_DEVIATION):
		fact->kind = AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION;
		fact->returned_on = on;
		break;
	case EVENT(CASE_JOINED):
		fact->joined_on = on;
		break;
	case EVENT(CASE_PARTED):
		fact->joined_on = 0;
		break;
	case EVENT(CASE_REOPENED): /* decided and closed anew */
		fact->closed_on = fact->decided_on = 0;
		fact->degree = AVVIK__V1__DEGREE__DEGREE_UNSPECIFIED;
		again(r, fact->reopened_on, &fact->reopened, on);
		break;
	case EVENT(IVO_NOTIFIED):
		again(r, fact->notified_on, &fact->notified, on);
		break;
	default:
		break;
	}
}

static void take_other(struct recount *r, const Avvik__V1__Event *event)
{
	struct fact *fact;
	switch (event->body_case) {
	case EVENT(DEADLINE_SET):
		fact = fact_new(r, 'd', event->deadline_set->deadline->deadline_id, event);
		fact->rule = event->deadline_set->deadline->rule;
		fact->due_on = event->deadline_set->deadline->due_on;
		for (size_t i = 0; i < event->deadline_set->deadline->n_rungs; i++)
			if (event->deadline_set->deadline->rungs[i]->kind ==
					AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE &&
				(event->deadline_set->deadline->rungs[i]->fired_at_ms ||
					event->deadline_set->deadline->rungs[i]->passed_over))
				fact->outcome = 2;
		break;
	case EVENT(DEADLINE_REPLANNED):
		fact_of(r, 'd', event->deadline_replanned->deadline->deadline_id)->due_on =
			event->deadline_replanned->deadline->due_on;
		break;
	case EVENT(DEADLINE_MET):
		fact_of(r, 'd', event->deadline_met->deadline_id)->outcome =
			event->deadline_met->late ? 2 : 1;
		break;
	case EVENT(DEADLINE_CANCELLED):
		fact_of(r, 'd', event->deadline_cancelled->deadline_id)->outcome =
			event->deadline_cancelled->overdue_fired &&
					event->deadline_cancelled->because !=
						AVVIK__V1__ANCHOR__ANCHOR_SUPERSEDED
				? 2
				: 3;
		break;
	case EVENT(RUNG_FIRED):
		if (event->rung_fired->kind == AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE)
			fact_of(r, 'd', event->rung_fired->deadline_id)->outcome = 2;
		break;
	case EVENT(MEASURE_PROPOSED):
		fact_new(r, 'm', event->measure_proposed->measure_id, event)->outcome = M(MEASURES_PROPOSED);
		break;
	case EVENT(PROPOSAL_DECIDED):
		fact_of(r, 'm', event->proposal_decided->measure_id)->outcome =
			event->proposal_decided->verdict ==
					AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_REJECTED
				? M(MEASURES_REJECTED)
				: M(MEASURES_APPROVED);
		break;
	case EVENT(MEASURE_DECIDED):
		fact_new(r, 'm', event->measure_decided->measure_id, event)->outcome = M(MEASURES_APPROVED);
		break;
	case EVENT(MEASURE_EXECUTED):
		fact_of(r, 'm', event->measure_executed->measure_id)->outcome = M(MEASURES_EXECUTED);
		break;
	case EVENT(MEASURE_EVALUATED):
		fact_of(r, 'm', event->measure_evaluated->measure_id)->outcome =
			event->measure_evaluated->effective ? M(MEASURES_EFFECTIVE)
							    : M(MEASURES_WITHOUT_EFFECT);
		break;
	default:
		take_case(r, event);
	}
}

/* --- sums --- */

static struct figure *figure_at(struct recount *r, const char *key)
{
	for (size_t i = 0; i < r->figure_count; i++)
		if (strcmp(r->figures[i].key, key) == 0)
			return &r->figures[i];
	if (r->figure_count == r->figure_room) {
		r->figure_room = r->figure_room ? 2 * r->figure_room : 1024;
		r->figures = realloc(r->figures, r->figure_room * sizeof *r->figures);
		if (!r->figures)
			abort();
	}
	struct figure *figure = &r->figures[r->figure_count++];
	*figure = (struct figure){.value = 0};
	snprintf(figure->key, sizeof figure->key, "%s", key);
	return figure;
}

static const Avvik__V1__Directory *directory_at(const struct recount *r, size_t at)
{
	const Avvik__V1__Event *event = r->intake->at[at];
	return event->body_case == EVENT(DIRECTORY_PUBLISHED) ? event->directory_published->directory : NULL;
}

static const Avvik__V1__Unit *unit_of(const struct recount *r, const char *code)
{
	for (size_t at = r->intake->count; at-- > 0;) {
		const Avvik__V1__Directory *directory = directory_at(r, at);
		for (size_t i = 0; directory && i < directory->n_units; i++)
			if (strcmp(directory->units[i]->code, code) == 0)
				return directory->units[i];
	}
	return NULL;
}

static const char *root_of(const struct recount *r)
{
	for (size_t at = r->intake->count; at-- > 0;)
		if (directory_at(r, at))
			return directory_at(r, at)->units[0]->code;
	return NULL;
}

static void key_text(char key[160], const char *unit, int span, const char *period, int measurement, int kind,
	int degree, const char *rule)
{
	snprintf(key, 160, "%s|%d|%s|%d|%d|%d|%s", unit, span, period, measurement, kind, degree, rule);
}

/* The whole committee and the year (or now) are compared for every case; units and shorter periods too. */
static void count_at(struct recount *r, const char *unit, int measurement, int kind, int degree,
	const char *rule, av_day on)
{
	struct av_date date = av_date_of(on);
	char key[160], periods[4][20];
	snprintf(periods[0], 20, "%04d-%02d-%02d", date.year, date.month, date.day);
	snprintf(periods[1], 20, "%04d-%02d", date.year, date.month);
	snprintf(periods[2], 20, "%04d-T%d", date.year, (date.month - 1) / 4 + 1);
	snprintf(periods[3], 20, "%04d", date.year);
	if (on == 0) {
		key_text(key, unit, AVVIK__V1__SPAN__SPAN_NOW, "", measurement, kind, degree, rule);
		figure_at(r, key)->value++;
		return;
	}
	for (int i = 0; i < 4; i++) {
		key_text(key, unit, AVVIK__V1__SPAN__SPAN_DAY + i, periods[i], measurement, kind, degree,
			rule);
		figure_at(r, key)->value++;
	}
}

static void count(struct recount *r, const char *unit, int measurement, int kind, int degree,
	const char *rule, av_day on)
{
	const Avvik__V1__Unit *at = unit_of(r, unit);
	const char *root = root_of(r);
	if (!root)
		return;
	if (!at) { /* unknown: the committee alone */
		count_at(r, root, measurement, kind, degree, rule, on);
		return;
	}
	for (int depth = 0; at && depth < AV_ORG_DEPTH; depth++) {
		count_at(r, at->code, measurement, kind, degree, rule, on);
		at = *at->parent ? unit_of(r, at->parent) : NULL;
	}
}

static void count_fact(struct recount *r, const struct fact *f)
{
	if (f->what == 'm') {
		count(r, f->unit, f->outcome, f->kind, 0, "", 0);
	} else if (f->what == 'd') {
		if (f->outcome == 1 || f->outcome == 2)
			count(r, f->unit, f->outcome == 1 ? M(DEADLINES_MET) : M(DEADLINES_MISSED), f->kind,
				0, f->rule, f->due_on);
	} else {
		count(r, f->unit, M(RECEIVED), f->kind_received, 0, "", f->received_on);
		if (f->decided_on)
			count(r, f->unit, M(DECIDED), f->kind, f->degree, "", f->decided_on);
		if (f->closed_on)
			count(r, f->unit, M(CLOSED), f->kind, f->degree, "", f->closed_on);
		else if (!f->joined_on)
			count(r, f->unit, M(OPEN), f->kind, f->degree, "", 0);
		for (size_t i = 0; i < f->notified; i++)
			count(r, f->unit, M(NOTIFIED_IVO), f->kind, f->degree, "", f->notified_on[i]);
		for (size_t i = 0; i < f->reopened; i++)
			count(r, f->unit, M(REOPENED), f->kind, f->degree, "", f->reopened_on[i]);
		if (f->joined_on)
			count(r, f->unit, M(JOINED), f->kind, f->degree, "", f->joined_on);
		if (f->returned_on)
			count(r, f->unit, M(RETURNED_DEVIATION), f->kind, f->degree, "", f->returned_on);
		if (f->turned_on)
			count(r, f->unit, M(TURNED_LEX_SARAH), f->kind, f->degree, "", f->turned_on);
	}
}

static void read_figures(struct recount *r)
{
	struct node *n = &r->w->nodes[REPORTING];
	struct av_txn *txn;
	SIM_EXPECT(r->w, av_txn_begin_read(n->store, &txn) == AV_OK, "no read transaction");
	struct av_iter it = av_iter(txn, TABLE_FIGURES, av_bytes(NULL, 0), av_bytes(NULL, 0));
	while (av_iter_next(&it)) {
		Avvik__V1__FigureKey k = AVVIK__V1__FIGURE_KEY__INIT;
		char key[160];
		SIM_EXPECT(r->w, figure_key_read(it.key, &k) == AV_OK && it.value.size == 8,
			"reporting: a figure cannot be read");
		key_text(key, k.unit, (int)k.span, k.period, (int)k.measurement, (int)k.kind, (int)k.degree,
			k.deadline);
		figure_at(r, key)->got = (int64_t)av_get_u64(it.value.data);
	}
	av_iter_end(&it);
	av_txn_abort(&txn);
}

void check_figures(struct world *w, const struct events *intake, const struct events *workflow)
{
	struct recount r = {.w = w, .intake = intake};
	r.facts = calloc(workflow->count + 1, sizeof *r.facts);
	if (!r.facts)
		abort();
	for (size_t i = 0; i < workflow->count; i++)
		take_other(&r, workflow->at[i]);
	for (size_t i = 0; i < r.count; i++)
		count_fact(&r, &r.facts[i]);
	read_figures(&r);
	for (size_t i = 0; i < r.figure_count && w->verbose; i++)
		if (r.figures[i].value != r.figures[i].got)
			sim_say(w, "%s: %lld, counted again %lld", r.figures[i].key,
				(long long)r.figures[i].got, (long long)r.figures[i].value);
	for (size_t i = 0; i < r.figure_count; i++)
		SIM_EXPECT(w, r.figures[i].value == r.figures[i].got,
			"reporting: %s (unit|span|period|measurement|kind|degree|rule) is %lld, counted "
			"again %lld",
			r.figures[i].key, (long long)r.figures[i].got, (long long)r.figures[i].value);
	free(r.facts);
	free(r.figures);
}
