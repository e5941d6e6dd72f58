/* people.c - what systems and people send: reports, acts on cases, content read and erased, what is published
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/settings.h"
#include "store/quarantine.h"
#include "wire/yaml.h"

#define NEW(w, Type, lower) AV_NEW((w)->arena, Avvik__V1__##Type, avvik__v1__##lower)
#define TEXT(text) ((char *)(uintptr_t)(text))
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name
#define COMMAND(name) AVVIK__V1__COMMAND__BODY_##name
#define DEGREE(name) AVVIK__V1__DEGREE__DEGREE_##name

const char *secret(struct world *w)
{
	return av_arena_printf(w->arena, SIM_SECRET " %llu", (unsigned long long)chance(w, 1000000000));
}

static int64_t ago(struct world *w, int64_t most_ms)
{
	return w->now_ms - (int64_t)chance(w, (uint64_t)most_ms);
}

/* --- what they know --- */

static ProtobufCMessage *from_file(struct world *w, const char *name, const ProtobufCMessageDescriptor *type)
{
	struct av_yaml *yaml = NULL;
	struct av_faults faults;
	ProtobufCMessage *message = NULL;
	av_faults_init(&faults, w->arena);
	const char *path = av_arena_printf(w->arena, "%s/%s", SIM_DEPLOY, name);
	int status = av_yaml_open_file(path, &faults, &yaml);
	if (status == AV_OK)
		status = av_yaml_to(yaml, type, w->arena, &faults, &message);
	av_yaml_close(&yaml);
	SIM_EXPECT(w, status == AV_OK, "%s does not load: %s", path, faults.first ? faults.first->text : "");
	return message;
}

static void publish(struct world *w, ProtobufCMessage *body, unsigned int number, const char *version)
{
	order_new(w, ORDER_PUBLISH, ADMIN, INTAKE, NULL, number, body)->version = version;
}

static void publish_directory(struct world *w, Avvik__V1__Directory *directory)
{
	Avvik__V1__PublishDirectory *order = NEW(w, PublishDirectory, publish_directory);
	order->directory = directory;
	order->reason = TEXT("simulation");
	publish(w, &order->base, COMMAND(PUBLISH_DIRECTORY), directory->version);
}

static void publish_rules(struct world *w, Avvik__V1__RulePack *rules)
{
	Avvik__V1__PublishRules *order = NEW(w, PublishRules, publish_rules);
	order->rules = rules;
	order->reason = TEXT("simulation");
	publish(w, &order->base, COMMAND(PUBLISH_RULES), rules->version);
}

static void know_leaves(struct world *w)
{
	Avvik__V1__Directory *d = w->directory;
	w->org = av_org_create(d, w->arena);
	w->leaves = av_arena_alloc(w->arena, d->n_units * sizeof *w->leaves);
	w->leaf_count = 0;
	for (size_t i = 0; i < d->n_units; i++)
		if (av_org_leaf(w->org, d->units[i]))
			w->leaves[w->leaf_count++] = d->units[i]->code;
}

void people_begin(struct world *w)
{
	static const char *const alarm_units[] = {"aldreomsorg", NULL};
	w->clients[CARE] = (struct av_principal){"care", "publisher", AV_MAY_PUBLISH, NULL, NULL};
	w->clients[ALARM] = (struct av_principal){"alarm", "publisher", AV_MAY_PUBLISH, alarm_units, NULL};
	w->clients[CASES] = (struct av_principal){
		"cases", "case_system", AV_MAY_ACT | AV_MAY_QUERY | AV_MAY_CONTENT, NULL, NULL};
	w->clients[ADMIN] =
		(struct av_principal){"admin", "administrator", AV_MAY_ADMINISTER | AV_MAY_QUERY, NULL, NULL};
	w->directory = (Avvik__V1__Directory *)from_file(
		w, "directory/lindaker.yaml", &avvik__v1__directory__descriptor);
	w->rules = (Avvik__V1__RulePack *)from_file(
		w, "rules/se-2025-07.yaml", &avvik__v1__rule_pack__descriptor);
	know_leaves(w);
	if (chance(w, 2)) {
		publish_rules(w, w->rules);
		publish_directory(w, w->directory);
	} else { /* some cases come before there are rules for them */
		publish_directory(w, w->directory);
		publish_rules(w, w->rules);
		w->orders[chance(w, 2)]->not_before_ms = w->now_ms + (int64_t)chance(w, 86400000);
	}
}

/* A directory with one unit more, where reports may wait already. */
static void publish_more(struct world *w)
{
	Avvik__V1__Directory *d = (Avvik__V1__Directory *)av_message_copy(&w->directory->base, w->arena);
	Avvik__V1__Unit **units = av_arena_alloc(w->arena, (d->n_units + 1) * sizeof *units);
	Avvik__V1__Unit *unit = NEW(w, Unit, unit);
	memcpy(units, d->units, d->n_units * sizeof *units);
	unit->code = av_arena_printf(w->arena, "nyenhet-%u", w->new_units++);
	unit->name = TEXT("Nya enheten");
	unit->parent = TEXT("aldreomsorg");
	unit->level = AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_UNIT;
	unit->operation = AVVIK__V1__OPERATION__OPERATION_OWN;
	units[d->n_units] = unit;
	d->units = units;
	d->n_units++;
	d->version = av_arena_printf(w->arena, "lindaker-sim-%u", w->new_units);
	w->directory = d;
	know_leaves(w);
	publish_directory(w, d);
}

static void publish_pack(struct world *w)
{
	for (size_t i = 0; i < 2; i++) /* the first one first: a pack never holds from before another */
		if (w->orders[i]->state != ORDER_DONE)
			return;
	Avvik__V1__RulePack *rules = (Avvik__V1__RulePack *)av_message_copy(&w->rules->base, w->arena);
	rules->version = av_arena_printf(w->arena, "se-sim-%u", ++w->new_packs);
	rules->valid_from_on = av_local_day(w->now_ms) + (int32_t)chance(w, 60);
	for (size_t i = 0; i < rules->n_deadlines; i++)
		if (strcmp(rules->deadlines[i]->id, "DEV1") == 0)
			rules->deadlines[i]->count = (uint32_t)(5 + chance(w, 10));
	publish_rules(w, rules);
}

/* --- reports --- */

static const char *some_unit(struct world *w)
{
	uint64_t luck = chance(w, 100);
	if (luck < 8) /* not in the directory yet, perhaps never */
		return av_arena_printf(w->arena, "nyenhet-%u", (unsigned int)chance(w, 4) + w->new_units);
	if (luck < 11)
		return "aldreomsorg";
	return w->leaves[chance(w, w->leaf_count)];
}

static void name_people(struct world *w, Avvik__V1__FileReport *report, bool always)
{
	Avvik__V1__ReportPersons *persons = NEW(w, ReportPersons, report_persons);
	Avvik__V1__AffectedPerson *person = NEW(w, AffectedPerson, affected_person);
	person->name = TEXT(secret(w));
	person->sex = AVVIK__V1__SEX__SEX_WOMAN;
	persons->affected = av_arena_copy(w->arena, &person, sizeof person);
	persons->n_affected = 1;
	if (chance(w, 2))
		report->persons = persons;
	if (!always && chance(w, 10) == 0)
		return;
	report->reporter = NEW(w, Reporter, reporter);
	report->reporter->name = TEXT(secret(w));
	if (chance(w, 3))
		report->reporter->mail = av_arena_printf(
			w->arena, SIM_SECRET_LOW "%u@rapport.example", (unsigned int)chance(w, 100000));
}

static void remedy_at_once(struct world *w, Avvik__V1__ReportNarrative *narrative)
{
	Avvik__V1__ImmediateMeasure *measure = NEW(w, ImmediateMeasure, immediate_measure);
	measure->text = TEXT(secret(w));
	measure->taken_at_ms = ago(w, 86400000);
	narrative->immediate_measures = av_arena_copy(w->arena, &measure, sizeof measure);
	narrative->n_immediate_measures = 1;
}

static void file_report(struct world *w)
{
	static Avvik__V1__Law laws[] = {
		AVVIK__V1__LAW__LAW_SOL, AVVIK__V1__LAW__LAW_LSS, AVVIK__V1__LAW__LAW_HSL};
	static const char *const categories[] = {"FALL", "LAK", "UTF", "BEM", "MILJO", "NOSUCH"};
	Avvik__V1__FileReport *report = NEW(w, FileReport, file_report);
	bool deviation = chance(w, 10) < 6;
	report->type = deviation ? AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION
				 : AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH;
	report->unit = TEXT(some_unit(w));
	report->channel = AVVIK__V1__CHANNEL__CHANNEL_SYSTEM;
	report->occurred_from_at_ms = ago(w, 3 * 86400000);
	report->noticed_at_ms = report->occurred_from_at_ms + (int64_t)chance(w, 7200000);
	report->noticed_at_ms = AV_MIN(report->noticed_at_ms, w->now_ms);
	if (chance(w, 5) == 0)
		report->received_at_ms = ago(w, 20 * (int64_t)86400000);
	report->laws = &laws[chance(w, 3)];
	report->n_laws = 1;
	report->category = TEXT(categories[chance(w, deviation ? 6 : 5)]);
	report->narrative = NEW(w, ReportNarrative, report_narrative);
	report->narrative->description = TEXT(secret(w));
	if (chance(w, 4) == 0)
		remedy_at_once(w, report->narrative);
	name_people(w, report, deviation);
	int client = chance(w, 3) ? CARE : ALARM;
	struct order *order =
		order_new(w, ORDER_REPORT, client, INTAKE, NULL, COMMAND(FILE_REPORT), &report->base);
	report->registry_number = av_arena_printf(w->arena, "SIM-%06u", order->id);
}

static struct order *some_report(struct world *w)
{
	for (int i = 0; i < 20; i++) {
		struct order *order = w->orders[chance(w, w->order_count)];
		if (order->kind == ORDER_REPORT && order->state == ORDER_DONE)
			return order;
	}
	return NULL;
}

static ProtobufCBinaryData id_data(struct world *w, const struct av_id *id)
{
	return (ProtobufCBinaryData){AV_ID_SIZE, av_arena_copy(w->arena, id->bytes, AV_ID_SIZE)};
}

static void supplement(struct world *w)
{
	struct order *about = some_report(w);
	if (!about)
		return;
	Avvik__V1__SupplementReport *order = NEW(w, SupplementReport, supplement_report);
	order->report_id = id_data(w, &about->case_id);
	order->narrative = NEW(w, ReportNarrative, report_narrative);
	order->narrative->description = TEXT(secret(w));
	int client =
		percent(w, 1000) ? CARE + ALARM - about->client : about->client; /* some are not theirs */
	struct order *made = order_new(
		w, ORDER_SUPPLEMENT, client, INTAKE, NULL, COMMAND(SUPPLEMENT_REPORT), &order->base);
	made->case_id = about->case_id;
}

/* --- acts --- */

static const char *some_person(struct world *w, const char *role, const char *unit)
{
	struct av_org_found found[AV_ORG_FOUND_MAX];
	size_t count = av_org_find(w->org, role, unit, 0, av_local_day(w->now_ms), found);
	return count ? found[chance(w, count)].person : "";
}

/* Who may: somebody with one of the roles, or now and then just anybody. */
static const char *actor(struct world *w, const char *act, const Avvik__V1__Case *found)
{
	if (percent(w, 300))
		return w->directory->people[chance(w, w->directory->n_people)]->id;
	for (size_t i = 0; i < w->rules->n_acts; i++) {
		const Avvik__V1__ActRule *rule = w->rules->acts[i];
		bool kind = false;
		for (size_t k = 0; k < rule->n_kinds; k++)
			kind |= rule->kinds[k] == found->kind;
		if (kind && strcmp(rule->act, act) == 0)
			return some_person(w, rule->roles[chance(w, rule->n_roles)], found->unit);
	}
	return "";
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

static ProtobufCBinaryData copied(struct world *w, ProtobufCBinaryData data)
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
	act->measure_id = copied(w, measure->measure_id);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(evaluate)
{
	Avvik__V1__EvaluateMeasure *act = NEW(w, EvaluateMeasure, evaluate_measure);
	const Avvik__V1__Measure *measure =
		some_measure(w, found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EXECUTED);
	if (!measure)
		return NULL;
	act->measure_id = copied(w, measure->measure_id);
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

WRITER(assess_deviation)
{
	static Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_SOL};
	Avvik__V1__AssessDeviation *act = NEW(w, AssessDeviation, assess_deviation);
	AV_UNUSED(found);
	act->laws = laws;
	act->n_laws = 1;
	act->category = TEXT("FALL");
	act->probability = (uint32_t)(1 + chance(w, 4));
	act->severity = (uint32_t)(1 + chance(w, 4));
	act->text = TEXT(secret(w));
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
	{"decide_measure",         ACT(DECIDE_MEASURE),         4,  decide_measure},
	{"decide_no_measures",     ACT(DECIDE_NO_MEASURES),     3,  no_measures},
	{"execute_measure",        ACT(EXECUTE_MEASURE),        8,  execute},
	{"evaluate_measure",       ACT(EVALUATE_MEASURE),       8,  evaluate},
	{"close",                  ACT(CLOSE),                  8,  close_case},
	{"assess_deviation",       ACT(ASSESS_DEVIATION),       8,  assess_deviation},
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
	int64_t at_ms = chance(w, 8) ? ago(w, 2000) : ago(w, 15 * (int64_t)86400000);
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
static const Avvik__V1__Case *some_case(struct world *w)
{
	struct order **at = &w->focus[chance(w, AV_COUNT(w->focus))], *about;
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	if (!*at)
		*at = some_report(w);
	about = percent(w, 1000) ? some_report(w) : *at;
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

static void act(struct world *w)
{
	const Avvik__V1__Case *found = some_case(w);
	if (!found || (busy_with(w, found) && chance(w, 10)))
		return;
	size_t which = some_act(w, found);
	ProtobufCMessage *body = acts[which].write(w, found);
	const char *person = actor(w, acts[which].name, found);
	if (!body || !*person)
		return;
	Avvik__V1__ActOnCase *order = NEW(w, ActOnCase, act_on_case);
	order->case_id = copied(w, found->case_id);
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

/* --- content --- */

static void ask_grant(struct world *w)
{
	const Avvik__V1__Case *found = some_case(w);
	bool erase = chance(w, 4) == 0;
	if (!found)
		return;
	const char *person = actor(w, erase ? "erase_content" : "read_content", found);
	if (!*person)
		return;
	Avvik__V1__EraseContent *erasing = NEW(w, EraseContent, erase_content);
	Avvik__V1__ReadContent *reading = NEW(w, ReadContent, read_content);
	erasing->case_id = reading->case_id = copied(w, found->case_id);
	erasing->reason = TEXT("gallring");
	reading->purpose = TEXT("utredning");
	struct order *made = order_new(w, ORDER_GRANT, CASES, WORKFLOW, person,
		erase ? COMMAND(ERASE_CONTENT) : COMMAND(READ_CONTENT),
		erase ? &erasing->base : &reading->base);
	made->erasing = erase;
	made->case_id = sim_id(found->case_id);
}

struct order *people_open_grants(struct world *w, struct order *order, const Avvik__V1__GrantIssued *issued)
{
	struct order *made = NULL;
	for (size_t i = 0; i < issued->n_grants; i++) {
		Avvik__V1__OpenContent *open = NEW(w, OpenContent, open_content);
		ProtobufCMessage *body;
		open->grant = (Avvik__V1__Grant *)av_message_copy(&issued->grants[i]->base, w->arena);
		if (av_message_load(&avvik__v1__grant_body__descriptor,
			    av_bytes(open->grant->body.data, open->grant->body.len), w->scratch, &body) < 0)
			sim_fail(w, "order %u: a grant that cannot be read", order->id);
		const Avvik__V1__GrantBody *grant = (const Avvik__V1__GrantBody *)body;
		int holder =
			grant->n_items && strcmp(grant->items[0]->holder, "intake") == 0 ? INTAKE : WORKFLOW;
		made = order_new(
			w, ORDER_OPEN, CASES, holder, order->person, COMMAND(OPEN_CONTENT), &open->base);
		made->once = true;
		made->erasing = order->erasing;
	}
	return made;
}

/* --- the administrator --- */

static void resolve_event(struct world *w, int node, const char *feed, uint64_t sequence)
{
	Avvik__V1__ResolveQuarantine *order = NEW(w, ResolveQuarantine, resolve_quarantine);
	order->feed = av_arena_strdup(w->arena, feed);
	order->sequence = sequence;
	order->action = AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_RETRY;
	order->reason = TEXT("simulation");
	order_new(w, ORDER_ADMIN, ADMIN, node, NULL, COMMAND(RESOLVE_QUARANTINE), &order->base);
}

static void resolve_feed(struct world *w, int node, const char *feed)
{
	Avvik__V1__ResolveFeed *order = NEW(w, ResolveFeed, resolve_feed);
	order->feed = av_arena_strdup(w->arena, feed);
	order->action = AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART;
	order->reason = TEXT("simulation");
	order_new(w, ORDER_ADMIN, ADMIN, node, NULL, COMMAND(RESOLVE_FEED), &order->base);
}

static bool asked_already(struct world *w, int node)
{
	for (size_t i = 0; i < w->order_count; i++)
		if (w->orders[i]->kind == ORDER_ADMIN && w->orders[i]->node == node &&
			(w->orders[i]->state == ORDER_WAITING || w->orders[i]->state == ORDER_SENT))
			return true;
	return false;
}

void people_resolve(struct world *w)
{
	Avvik__V1__ListQuarantine list = AVVIK__V1__LIST_QUARANTINE__INIT;
	for (int node = 0; node < NODES; node++) {
		struct node *n = &w->nodes[node];
		if (!n->up || asked_already(w, node))
			continue;
		const Avvik__V1__Reply *reply = node_ask(n, ADMIN, COMMAND(LIST_QUARANTINE), &list.base);
		const Avvik__V1__QuarantineFound *found = reply ? reply->quarantine_found : NULL;
		for (size_t i = 0; found && i < found->n_items; i++) {
			if (found->items[i]->waiting)
				continue;
			SIM_EXPECT(w, found->items[i]->attempts < 4,
				"%s: event %llu of %s (%s) stays in quarantine: %s", n->service.name,
				(unsigned long long)found->items[i]->sequence, found->items[i]->feed,
				found->items[i]->event, found->items[i]->cause);
			resolve_event(w, node, found->items[i]->feed, found->items[i]->sequence);
		}
		for (size_t i = 0; i < n->follow_count; i++)
			if (n->follows[i].refused && n->follows[i].has_refused_head)
				resolve_feed(w, node, n->follows[i].name);
	}
}

static void retry_notice(struct world *w)
{
	Avvik__V1__ListNotices list = AVVIK__V1__LIST_NOTICES__INIT;
	list.state = AVVIK__V1__NOTICE_STATE__NOTICE_STATE_GIVEN_UP;
	list.limit = 20;
	const Avvik__V1__Reply *reply =
		node_ask(&w->nodes[NOTIFICATION], ADMIN, COMMAND(LIST_NOTICES), &list.base);
	if (!reply || !reply->notices_found || !reply->notices_found->n_notices)
		return;
	const Avvik__V1__NoticesFound *found = reply->notices_found;
	Avvik__V1__RetryNotice *order = NEW(w, RetryNotice, retry_notice);
	order->notice_id = copied(w, found->notices[chance(w, found->n_notices)]->notice_id);
	order->reason = TEXT("simulation");
	order_new(w, ORDER_ADMIN, ADMIN, NOTIFICATION, NULL, COMMAND(RETRY_NOTICE), &order->base);
}

void people_step(struct world *w)
{
	uint64_t luck = chance(w, 1000);
	if (luck < 200 && w->reports_most > 0) {
		w->reports_most--;
		file_report(w);
	} else if (luck < 230) {
		supplement(w);
	} else if (luck < 930) {
		act(w);
	} else if (luck < 965) {
		ask_grant(w);
	} else if (luck < 972) {
		publish_more(w);
	} else if (luck < 975) {
		publish_pack(w);
	} else if (luck < 985) {
		retry_notice(w);
	} else {
		people_resolve(w);
	}
}
