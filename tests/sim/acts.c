/* acts.c - what people do with cases: mostly what the case allows, by who may, now and then not
 */
#include "people_inner.h"

#include <string.h>

#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name
#define DEGREE(name) AVVIK__V1__DEGREE__DEGREE_##name

static const char *some_person(struct world *w, const char *role, const char *unit)
{
	struct av_org_found found[AV_ORG_FOUND_MAX];
	size_t count = av_org_find(w->org, role, unit, 0, av_local_day(w->now_ms), found);
	return count ? found[chance(w, count)].person : "";
}

/* Who may: somebody with one of the roles, or now and then just anybody. */
const char *people_actor(struct world *w, const char *act, const Avvik__V1__Case *found)
{
	if (percent(w, 300))
		return w->directory->people[chance(w, w->directory->n_people)]->id;
	const Avvik__V1__ActRule *chosen = NULL;
	for (size_t i = 0; i < w->rules->n_acts; i++) {
		const Avvik__V1__ActRule *rule = w->rules->acts[i];
		bool kind = false;
		for (size_t k = 0; k < rule->n_kinds; k++)
			kind |= rule->kinds[k] == found->kind;
		if (kind && strcmp(rule->act, act) == 0 && (!chosen || chance(w, 2)))
			chosen = rule;
	}
	return chosen ? some_person(w, chosen->roles[chance(w, chosen->n_roles)], found->unit) : "";
}

static Avvik__V1__Degree some_degree(struct world *w)
{
	return (Avvik__V1__Degree)(1 + chance(w, 5));
}

static const Avvik__V1__Measure *some_measure(
	struct world *w, const Avvik__V1__Case *found, Avvik__V1__MeasureState state)
{
	const Avvik__V1__Measure *chosen = NULL;
	for (size_t i = 0; i < found->n_measures; i++)
		if (found->measures[i]->state == state && (!chosen || chance(w, 2)))
			chosen = found->measures[i];
	return chosen;
}

ProtobufCBinaryData people_copy(struct world *w, ProtobufCBinaryData data)
{
	return (ProtobufCBinaryData){data.len, av_arena_copy(w->arena, data.data, data.len)};
}

#define WRITER(name) static ProtobufCMessage *name(struct world *w, const Avvik__V1__Case *found)

WRITER(place)
{
	Avvik__V1__PlaceCase *act = NEW(w, PlaceCase, place_case);
	AV_UNUSED(found);
	act->unit = TEXT(w->leaves[chance(w, w->leaf_count)]);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(name_reporter)
{
	Avvik__V1__NameReporter *act = NEW(w, NameReporter, name_reporter);
	AV_UNUSED(found);
	act->reporter = NEW(w, Reporter, reporter);
	act->reporter->name = TEXT(secret(w));
	act->reporter->mail = TEXT(SIM_SECRET_LOW "@namngiven.example");
	return &act->base;
}

WRITER(remedy)
{
	Avvik__V1__Remedy *act = NEW(w, Remedy, remedy);
	AV_UNUSED(found);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(inform)
{
	Avvik__V1__InformAffected *act = NEW(w, InformAffected, inform_affected);
	AV_UNUSED(found);
	act->informed = chance(w, 2);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(assess)
{
	Avvik__V1__AssessInitially *act = NEW(w, AssessInitially, assess_initially);
	act->investigate = chance(w, 8) > 0;
	act->preliminary_degree = act->investigate ? some_degree(w) : DEGREE(NONE);
	act->motive = TEXT(secret(w));
	if (act->investigate)
		act->investigator = TEXT(some_person(w, "LEX_UTR", found->unit));
	return &act->base;
}

WRITER(find_serious)
{
	Avvik__V1__FindSerious *act = NEW(w, FindSerious, find_serious);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(record_entry)
{
	Avvik__V1__RecordEntry *act = NEW(w, RecordEntry, record_entry);
	uint32_t missing = 0x5feu & ~found->items_documented;
	act->item = (uint32_t)(1 + chance(w, 10));
	while (missing && !(missing & 1u << act->item))
		act->item = (uint32_t)(1 + chance(w, 10));
	act->nature = AVVIK__V1__ENTRY_NATURE__ENTRY_NATURE_FACT;
	act->source = TEXT(secret(w));
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(complete)
{
	Avvik__V1__CompleteInvestigation *act = NEW(w, CompleteInvestigation, complete_investigation);
	AV_UNUSED(found);
	act->proposed_degree = some_degree(w);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(decide)
{
	Avvik__V1__Decide *act = NEW(w, Decide, decide);
	AV_UNUSED(found);
	act->degree = some_degree(w);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(notify_ivo)
{
	Avvik__V1__NotifyIvo *act = NEW(w, NotifyIvo, notify_ivo);
	AV_UNUSED(found);
	act->registry_number = TEXT("SN 2026/17");
	act->investigation_attached = chance(w, 2);
	return &act->base;
}

WRITER(hand_in)
{
	Avvik__V1__HandInInvestigation *act = NEW(w, HandInInvestigation, hand_in_investigation);
	AV_UNUSED(found);
	act->channel = AVVIK__V1__CHANNEL__CHANNEL_E_SERVICE;
	return &act->base;
}

WRITER(decide_measure)
{
	Avvik__V1__DecideMeasure *act = NEW(w, DecideMeasure, decide_measure);
	act->horizon = AVVIK__V1__MEASURE_HORIZON__MEASURE_HORIZON_SHORT;
	act->description = TEXT(secret(w));
	act->goal = TEXT(secret(w));
	act->responsible = TEXT(some_person(w, "EC", found->unit));
	act->planned_end_on = av_local_day(w->now_ms) + (int32_t)chance(w, 90) - 3;
	return &act->base;
}

WRITER(propose_measure)
{
	Avvik__V1__ProposeMeasure *act = NEW(w, ProposeMeasure, propose_measure);
	act->description = TEXT(secret(w));
	act->goal = TEXT(secret(w));
	act->responsible = TEXT(some_person(w, "EC", found->unit));
	act->planned_end_on = av_local_day(w->now_ms) + (int32_t)chance(w, 90);
	return &act->base;
}

WRITER(decide_proposal)
{
	Avvik__V1__DecideProposal *act = NEW(w, DecideProposal, decide_proposal);
	const Avvik__V1__Measure *measure =
		some_measure(w, found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_PROPOSED);
	if (!measure)
		return NULL;
	act->measure_id = people_copy(w, measure->measure_id);
	act->verdict = (Avvik__V1__MeasureVerdict)(1 + chance(w, 3));
	act->comment = TEXT(secret(w));
	return &act->base;
}

WRITER(no_measures)
{
	Avvik__V1__DecideNoMeasures *act = NEW(w, DecideNoMeasures, decide_no_measures);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(execute)
{
	Avvik__V1__ExecuteMeasure *act = NEW(w, ExecuteMeasure, execute_measure);
	const Avvik__V1__Measure *measure =
		some_measure(w, found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_APPROVED);
	if (!measure)
		return NULL;
	act->measure_id = people_copy(w, measure->measure_id);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(evaluate)
{
	Avvik__V1__EvaluateMeasure *act = NEW(w, EvaluateMeasure, evaluate_measure);
	const Avvik__V1__Measure *measure =
		some_measure(w, found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EXECUTED);
	if (!measure) /* a later check */
		measure = some_measure(w, found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EVALUATED);
	if (!measure)
		return NULL;
	act->measure_id = people_copy(w, measure->measure_id);
	act->effective = chance(w, 4) > 0;
	act->accept_risk = chance(w, 2);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(close_case)
{
	Avvik__V1__CloseCase *act = NEW(w, CloseCase, close_case);
	act->note = TEXT(secret(w));
	act->category = TEXT(found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION ? "FALL" : "BEM");
	return &act->base;
}

WRITER(take_for_review)
{
	Avvik__V1__TakeForReview *act = NEW(w, TakeForReview, take_for_review);
	if (chance(w, 2))
		act->handler = TEXT(some_person(w, "EC", found->unit));
	return &act->base;
}

WRITER(request_completion)
{
	Avvik__V1__RequestCompletion *act = NEW(w, RequestCompletion, request_completion);
	AV_UNUSED(found);
	act->question = TEXT(secret(w));
	return &act->base;
}

WRITER(answer_completion)
{
	Avvik__V1__AnswerCompletion *act = NEW(w, AnswerCompletion, answer_completion);
	AV_UNUSED(found);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(begin_inquiry)
{
	static Avvik__V1__Law laws[][2] = {{AVVIK__V1__LAW__LAW_SOL, AVVIK__V1__LAW__LAW_HSL},
		{AVVIK__V1__LAW__LAW_HSL, AVVIK__V1__LAW__LAW_LSS}};
	Avvik__V1__BeginInquiry *act = NEW(w, BeginInquiry, begin_inquiry);
	AV_UNUSED(found);
	act->laws = laws[chance(w, 2)];
	act->n_laws = 1 + chance(w, 2);
	act->category = TEXT("FALL");
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(assess_risk)
{
	Avvik__V1__AssessRisk *act = NEW(w, AssessRisk, assess_risk);
	act->law = found->n_parts ? found->parts[chance(w, found->n_parts)]->law : AVVIK__V1__LAW__LAW_SOL;
	for (size_t i = 0; i < found->n_parts; i++)
		if (!found->parts[i]->probability)
			act->law = found->parts[i]->law;
	act->probability = (uint32_t)(1 + chance(w, 4));
	act->severity = (uint32_t)(1 + chance(w, 4));
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(complete_inquiry)
{
	static char *causes[] = {(char *)"KOM"};
	Avvik__V1__CompleteInquiry *act = NEW(w, CompleteInquiry, complete_inquiry);
	AV_UNUSED(found);
	act->text = TEXT(secret(w));
	act->cause_areas = causes;
	act->n_cause_areas = 1;
	return &act->base;
}

WRITER(close_early)
{
	Avvik__V1__CloseEarly *act = NEW(w, CloseEarly, close_early);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(turn)
{
	Avvik__V1__TurnIntoLexSarah *act = NEW(w, TurnIntoLexSarah, turn_into_lex_sarah);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}

static const struct {
	const char *name;
	unsigned int number, weight;
	ProtobufCMessage *(*write)(struct world *w, const Avvik__V1__Case *found);
} acts[] = {
	/* clang-format off */
	{"place",                  ACT(PLACE),                  2,  place},
	{"name_reporter",          ACT(NAME_REPORTER),          4,  name_reporter},
	{"remedy",                 ACT(REMEDY),                 2,  remedy},
	{"inform_affected",        ACT(INFORM_AFFECTED),        1,  inform},
	{"assess_initially",       ACT(ASSESS_INITIALLY),       10, assess},
	{"find_serious",           ACT(FIND_SERIOUS),           1,  find_serious},
	{"record_entry",           ACT(RECORD_ENTRY),           30, record_entry},
	{"complete_investigation", ACT(COMPLETE_INVESTIGATION), 5,  complete},
	{"decide",                 ACT(DECIDE),                 10, decide},
	{"notify_ivo",             ACT(NOTIFY_IVO),             5,  notify_ivo},
	{"hand_in_investigation",  ACT(HAND_IN_INVESTIGATION),  5,  hand_in},
	{"propose_measure",        ACT(PROPOSE_MEASURE),        1,  propose_measure},
	{"decide_proposal",        ACT(DECIDE_PROPOSAL),        4,  decide_proposal},
	{"decide_measure",         ACT(DECIDE_MEASURE),         4,  decide_measure},
	{"decide_no_measures",     ACT(DECIDE_NO_MEASURES),     3,  no_measures},
	{"execute_measure",        ACT(EXECUTE_MEASURE),        8,  execute},
	{"evaluate_measure",       ACT(EVALUATE_MEASURE),       8,  evaluate},
	{"close",                  ACT(CLOSE),                  8,  close_case},
	{"take_for_review",        ACT(TAKE_FOR_REVIEW),        8,  take_for_review},
	{"request_completion",     ACT(REQUEST_COMPLETION),     3,  request_completion},
	{"answer_completion",      ACT(ANSWER_COMPLETION),      5,  answer_completion},
	{"begin_inquiry",          ACT(BEGIN_INQUIRY),          8,  begin_inquiry},
	{"assess_risk",            ACT(ASSESS_RISK),            8,  assess_risk},
	{"complete_inquiry",       ACT(COMPLETE_INQUIRY),       8,  complete_inquiry},
	{"close_early",            ACT(CLOSE_EARLY),            1,  close_early},
	{"turn_into_lex_sarah",    ACT(TURN_INTO_LEX_SARAH),    1,  turn},
}; /* clang-format on */

static size_t some_act(struct world *w, const Avvik__V1__Case *found)
{
	unsigned int sum = 0;
	size_t chosen = chance(w, AV_COUNT(acts));
	if (percent(w, 300)) /* whatever the state says */
		return chosen;
	for (size_t i = 0; i < found->n_acts_possible; i++)
		for (size_t k = 0; k < AV_COUNT(acts); k++) {
			if (strcmp(found->acts_possible[i]->name, acts[k].name) != 0)
				continue;
			sum += acts[k].weight;
			if (chance(w, sum) < acts[k].weight)
				chosen = k;
		}
	return chosen;
}

/* No other act has it: that is how its effect is told from those of others. */
static int64_t own_instant(struct world *w, const Avvik__V1__Case *found)
{
	int64_t at_ms = chance(w, 8) ? people_ago(w, 2000) : people_ago(w, 15 * (int64_t)86400000);
	if (at_ms < found->received_at_ms && chance(w, 10))
		at_ms = w->now_ms;
	for (size_t i = 0; i < w->order_count; i++)
		if (w->orders[i]->acted_at_ms == at_ms) {
			at_ms--;
			i = (size_t)-1;
		}
	return at_ms;
}

/* Mostly one of a few, so that cases come to their end; the others wait for their deadlines. */
const Avvik__V1__Case *people_case(struct world *w)
{
	struct order **at = &w->focus[chance(w, AV_COUNT(w->focus))], *about;
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	if (!*at)
		*at = people_report(w);
	about = percent(w, 1000) ? people_report(w) : *at;
	if (!about)
		return NULL;
	get.case_id = (ProtobufCBinaryData){AV_ID_SIZE, about->case_id.bytes};
	const Avvik__V1__Reply *reply = node_ask(&w->nodes[WORKFLOW], CASES, COMMAND(GET_CASE), &get.base);
	const Avvik__V1__Case *found = reply && reply->case_found ? reply->case_found->case_ : NULL;
	if (found && found->state == AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED && chance(w, 4) == 0)
		*at = NULL;
	return found;
}

/* Two at once on one case: the second is mostly refused as stale. */
static bool busy_with(struct world *w, const Avvik__V1__Case *found)
{
	for (size_t i = 0; i < w->order_count; i++) {
		struct av_id id = sim_id(found->case_id);
		if (w->orders[i]->kind == ORDER_ACT && memcmp(&w->orders[i]->case_id, &id, sizeof id) == 0 &&
			(w->orders[i]->state == ORDER_WAITING || w->orders[i]->state == ORDER_SENT))
			return true;
	}
	return false;
}

void people_act(struct world *w)
{
	const Avvik__V1__Case *found = people_case(w);
	if (!found || (busy_with(w, found) && chance(w, 10)))
		return;
	size_t which = some_act(w, found);
	ProtobufCMessage *body = acts[which].write(w, found);
	const char *person = people_actor(w, acts[which].name, found);
	if (!body || !*person)
		return;
	Avvik__V1__ActOnCase *order = NEW(w, ActOnCase, act_on_case);
	order->case_id = people_copy(w, found->case_id);
	order->version_seen = found->version - (percent(w, 200) && found->version ? 1 : 0);
	order->acted_at_ms = own_instant(w, found);
	order->act_case = (Avvik__V1__ActOnCase__ActCase)acts[which].number;
	order->place = (Avvik__V1__PlaceCase *)body; /* any of the union */
	struct order *made =
		order_new(w, ORDER_ACT, CASES, WORKFLOW, person, COMMAND(ACT_ON_CASE), &order->base);
	made->case_id = sim_id(order->case_id);
	made->acted_at_ms = order->acted_at_ms;
	if (w->verbose)
		sim_say(w, "order %u: %s by %s, at %lld", made->id, acts[which].name, person,
			(long long)made->acted_at_ms);
}
