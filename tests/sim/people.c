/* people.c - what systems and people send: reports, supplements, what is published; and who sends what
 */
#include "people_inner.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/settings.h"
#include "wire/yaml.h"

#define YEAR_MS (365 * INT64_C(86400000))

const char *secret(struct world *w)
{
	return av_arena_printf(w->arena, SIM_SECRET " %llu", (unsigned long long)chance(w, 1000000000));
}

int64_t people_ago(struct world *w, int64_t most_ms)
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

static struct order *publish(
	struct world *w, ProtobufCMessage *body, unsigned int number, const char *version)
{
	struct order *order = order_new(w, ORDER_PUBLISH, ADMIN, INTAKE, NULL, number, body);
	order->version = version;
	return order;
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
	/* One after the other, also when a restore has lost several: what an administrator publishes holds from the
	 * day of the latest pack or later, so an earlier one that came after it would be refused for ever. */
	struct order *made = publish(w, &order->base, COMMAND(PUBLISH_RULES), rules->version);
	made->after = w->last_pack;
	w->last_pack = made;
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

/* What a municipality may decide for itself: some do. */
static void decide_rules(struct world *w)
{
	static char *operations[] = {(char *)"private", (char *)"contracted"};
	if (chance(w, 2)) {
		w->rules->information_operations = operations;
		w->rules->n_information_operations = AV_COUNT(operations);
	}
	w->rules->independent_investigator = chance(w, 2);
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
	decide_rules(w);
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
	if (luck < 18)
		return chance(w, 2) ? "hvb-tallen" : "hvb-granen"; /* of private providers */
	return w->leaves[chance(w, w->leaf_count)];
}

static void name_people(struct world *w, Avvik__V1__FileReport *report)
{
	Avvik__V1__ReportPersons *persons = NEW(w, ReportPersons, report_persons);
	Avvik__V1__AffectedPerson *person = NEW(w, AffectedPerson, affected_person);
	person->name = TEXT(secret(w));
	person->sex = AVVIK__V1__SEX__SEX_WOMAN;
	persons->affected = av_arena_copy(w->arena, &person, sizeof person);
	persons->n_affected = 1;
	if (chance(w, 2))
		report->persons = persons;
	if (chance(w, 10) == 0)
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
	measure->taken_at_ms = people_ago(w, 86400000);
	narrative->immediate_measures = av_arena_copy(w->arena, &measure, sizeof measure);
	narrative->n_immediate_measures = 1;
}

/* In a year of a committee they come all through it. */
static bool too_early(const struct world *w)
{
	size_t filed = w->reports_all - w->reports_most;
	return w->year && (int64_t)filed * YEAR_MS >
				  (int64_t)w->reports_all * (w->now_ms - w->started_at_ms + YEAR_MS / 12);
}

static void file_report(struct world *w)
{
	static Avvik__V1__Law laws[] = {
		AVVIK__V1__LAW__LAW_SOL, AVVIK__V1__LAW__LAW_LSS, AVVIK__V1__LAW__LAW_HSL};
	static const char *const categories[] = {"FALL", "LAK", "UTF", "BEM", "MILJO", "NOSUCH"};
	Avvik__V1__FileReport *report = NEW(w, FileReport, file_report);
	bool deviation = chance(w, 10) < 6;
	if (w->reports_most == 0 || too_early(w))
		return;
	w->reports_most--;
	report->type = deviation ? AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION
				 : AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH;
	report->unit = TEXT(some_unit(w));
	report->channel = AVVIK__V1__CHANNEL__CHANNEL_SYSTEM;
	report->occurred_from_at_ms = people_ago(w, 3 * 86400000);
	report->noticed_at_ms = report->occurred_from_at_ms + (int64_t)chance(w, 7200000);
	report->noticed_at_ms = AV_MIN(report->noticed_at_ms, w->now_ms);
	if (chance(w, 5) == 0)
		report->received_at_ms = people_ago(w, 20 * (int64_t)86400000);
	report->laws = &laws[chance(w, 3)];
	report->n_laws = 1;
	report->category = TEXT(categories[chance(w, deviation ? 6 : 5)]);
	report->narrative = NEW(w, ReportNarrative, report_narrative);
	report->narrative->description = TEXT(secret(w));
	if (chance(w, 4) == 0)
		remedy_at_once(w, report->narrative);
	name_people(w, report);
	int client = chance(w, 3) ? CARE : ALARM;
	struct order *order =
		order_new(w, ORDER_REPORT, client, INTAKE, NULL, COMMAND(FILE_REPORT), &report->base);
	report->registry_number = av_arena_printf(w->arena, "SIM-%06u", order->id);
}

struct order *people_report(struct world *w)
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
	struct order *about = people_report(w);
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

void people_step(struct world *w)
{
	/* clang-format off */
	static const struct { unsigned int parts; enum kind kind; void (*send)(struct world *w); } habits[] = {
		{200, KIND_COUNT,       file_report},
		{30,  KIND_SUPPLEMENTS, supplement},
		{688, KIND_ACTS,        people_act},
		{10,  KIND_ACTS,        people_tell_notification},
		{35,  KIND_CONTENT,     people_ask_grant},
		{7,   KIND_PUBLISHING,  publish_more},
		{3,   KIND_PUBLISHING,  publish_pack},
		{2,   KIND_PUBLISHING,  people_apply_rules},
		{10,  KIND_RETRIES,     people_retry_notice},
		{15,  KIND_COUNT,       people_resolve},
	}; /* clang-format on */
	uint64_t luck = chance(w, 1000);
	size_t i = 0;
	for (; luck >= habits[i].parts; i++)
		luck -= habits[i].parts;
	if (habits[i].kind == KIND_COUNT || on(w, habits[i].kind))
		habits[i].send(w);
}
