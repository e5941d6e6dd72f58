/* workflow_world.c - see workflow_world.h */
#include "workflow_world.h"

#include <stdio.h>
#include <string.h>

#include "seal/crypto.h"
#include "wire/yaml.h"

static const char directory_text[] =
	"version: \"1\"\n"
	"municipality: \"0000\"\n"
	"name: Socialnämnden\n"
	"units:\n"
	"  - { code: soc, name: Socialnämnden, level: committee }\n"
	"  - { code: forv, name: Förvaltningen, parent: soc, level: administration }\n"
	"  - { code: aldre, name: Äldreomsorg, parent: forv, level: department }\n"
	"  - { code: lss, name: Funktionsstöd, parent: forv, level: department }\n"
	"  - { code: boendet, name: Boendet, parent: aldre, level: unit, operation: own }\n"
	"  - { code: hemtjanst, name: Hemtjänsten, parent: aldre, level: unit, operation: own }\n"
	"  - { code: gruppen, name: Gruppen, parent: lss, level: unit, operation: own }\n";
static const char people_text[] =
	"people:\n"
	"  - { id: sara, roles: [{ role: SAS, unit: forv }], deputies: [{ person: dan, from_on: 2026-07-01, "
	"until_on: 2026-07-31 }] }\n"
	"  - { id: lena, roles: [{ role: LEX_ANSV, unit: forv }] }\n"
	"  - { id: eva, roles: [{ role: LEX_UTR, unit: forv }] }\n"
	"  - { id: fia, roles: [{ role: FC, unit: forv }] }\n"
	"  - { id: reg, roles: [{ role: REGISTRATOR, unit: soc }] }\n"
	"  - { id: alf, roles: [{ role: AC, unit: aldre }] }\n"
	"  - { id: anna, roles: [{ role: EC, unit: boendet }] }\n"
	"  - { id: bo, roles: [{ role: EC, unit: hemtjanst }] }\n"
	"  - { id: mia, roles: [{ role: MAS, unit: forv }] }\n"
	"  - { id: old, roles: [{ role: SAS, unit: forv, until_on: 2026-03-31 }] }\n"
	"  - { id: dan }\n";

static ProtobufCMessage *from_yaml(struct world *world, struct av_yaml *yaml, int opened,
	struct av_faults *faults, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = NULL;
	int status = opened;

	if (status == AV_OK)
		status = av_yaml_to(yaml, type, world->h->arena, faults, &message);
	for (struct av_fault *fault = faults->first; fault; fault = fault->next)
		print_error("%s: %s\n", fault->path, fault->text);
	if (status != AV_OK)
		fail_msg("the YAML does not load: %s", av_status_name(status));
	av_yaml_close(&yaml);
	return message;
}

static void feed(
	struct world *world, unsigned int number, ProtobufCMessage *body, const struct av_id *case_id)
{
	assert_int_equal(
		harness_feed(world->h, "intake", harness_event(world->h, number, body, case_id, 0)), AV_OK);
}

static ProtobufCBinaryData hash_of(struct world *world, const ProtobufCMessage *message)
{
	struct av_bytes packed = av_message_pack(message, world->h->arena);
	unsigned char *hash = av_arena_alloc(world->h->arena, 32);
	av_hash_pieces(&packed, 1, hash);
	return (ProtobufCBinaryData){32, hash};
}

static void publish_directory(struct world *world, const char *more_units, const char *people)
{
	struct harness *h = world->h;
	Avvik__V1__DirectoryPublished *published =
		AV_NEW(h->arena, Avvik__V1__DirectoryPublished, avvik__v1__directory_published);
	Avvik__V1__PersonContact *contact =
		AV_NEW(h->arena, Avvik__V1__PersonContact, avvik__v1__person_contact);
	const char *text =
		av_arena_printf(h->arena, "%s%s%s", directory_text, more_units ? more_units : "", people);
	struct av_yaml *yaml = NULL;
	struct av_faults faults;
	int opened;

	av_faults_init(&faults, h->arena);
	opened = av_yaml_open(av_bytes_of(text), "directory.yaml", &faults, &yaml);
	published->directory = (Avvik__V1__Directory *)from_yaml(
		world, yaml, opened, &faults, &avvik__v1__directory__descriptor);
	published->hash = hash_of(world, &published->directory->base);
	contact->person = TEXT("sara");
	published->contacts = av_arena_copy(h->arena, &contact, sizeof(contact));
	published->n_contacts = 1;
	feed(world, EVENT(DIRECTORY_PUBLISHED), &published->base, NULL);
}

void world_publish_directory(struct world *world, const char *more_units)
{
	publish_directory(world, more_units, people_text);
}

void world_publish_people(struct world *world, const char *people)
{
	publish_directory(world, NULL, people);
}

static Avvik__V1__RulePack *rules_file(struct world *world, const char *path)
{
	struct av_yaml *yaml = NULL;
	struct av_faults faults;
	int opened;

	av_faults_init(&faults, world->h->arena);
	opened = av_yaml_open_file(path, &faults, &yaml);
	return (Avvik__V1__RulePack *)from_yaml(
		world, yaml, opened, &faults, &avvik__v1__rule_pack__descriptor);
}

Avvik__V1__RulePack *world_rules(struct world *world)
{
	return rules_file(world, RULES);
}

Avvik__V1__RulePack *world_old_rules(struct world *world)
{
	return rules_file(world, OLD_RULES);
}

void world_publish_changed(struct world *world, Avvik__V1__RulePack *rules)
{
	Avvik__V1__RulesPublished *published =
		AV_NEW(world->h->arena, Avvik__V1__RulesPublished, avvik__v1__rules_published);
	published->rules = rules;
	published->hash = hash_of(world, &rules->base);
	feed(world, EVENT(RULES_PUBLISHED), &published->base, NULL);
}

void world_publish_rules(struct world *world)
{
	world_publish_changed(world, world_rules(world));
}

void world_open_bare(struct world *world, const char *now)
{
	memset(world, 0, sizeof(*world));
	world->h = harness_open(&workflow_service, harness_at(now));
	world->cases = harness_principal("cases", "case_system", AV_MAY_ACT | AV_MAY_QUERY | AV_MAY_CONTENT);
	world->publisher = harness_principal("care", "publisher", AV_MAY_PUBLISH);
	harness_upkeep(world->h);
}

void world_open(struct world *world, const char *now)
{
	world_open_bare(world, now);
	world_publish_directory(world, NULL);
	world_publish_rules(world);
}

void world_close(struct world *world)
{
	harness_close(&world->h);
}

/* --- reports --- */

static ProtobufCBinaryData new_id(struct world *world)
{
	unsigned char *id = av_arena_alloc(world->h->arena, AV_ID_SIZE);
	struct av_id_source ids = {0};
	struct av_id next = av_id_next(&ids, world->h->now_ms, &world->h->random);
	memcpy(id, next.bytes, AV_ID_SIZE);
	id[6] = 0x70; /* made within one millisecond: keep them in order */
	id[7] = (unsigned char)(world->references >> 8);
	id[8] = (unsigned char)world->references++;
	return (ProtobufCBinaryData){AV_ID_SIZE, id};
}

Avvik__V1__ReportFiled *world_report(struct world *world)
{
	struct harness *h = world->h;
	Avvik__V1__ReportFiled *report = AV_NEW(h->arena, Avvik__V1__ReportFiled, avvik__v1__report_filed);
	Avvik__V1__ContentRef *ref = AV_NEW(h->arena, Avvik__V1__ContentRef, avvik__v1__content_ref);
	static Avvik__V1__ContentPart parts[] = {AVVIK__V1__CONTENT_PART__CONTENT_PART_NARRATIVE,
		AVVIK__V1__CONTENT_PART__CONTENT_PART_REPORTER,
		AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT};
	static Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_LSS};

	report->report_id = new_id(world);
	report->type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH;
	report->unit = TEXT("boendet");
	report->received_at_ms = h->now_ms;
	report->n_laws = 1;
	report->laws = laws;
	report->category = TEXT("BEM");
	report->principal = TEXT("care");
	report->reporter_named = true;
	ref->content_id = new_id(world);
	ref->commitment = (ProtobufCBinaryData){32, av_arena_zalloc(h->arena, 32)};
	ref->n_parts = 3;
	ref->parts = parts;
	report->content = ref;
	return report;
}

Avvik__V1__ReportFiled *world_deviation(struct world *world)
{
	Avvik__V1__ReportFiled *report = world_report(world);
	report->type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION;
	report->category = TEXT("FALL");
	return report;
}

struct av_id world_file(struct world *world, Avvik__V1__ReportFiled *report)
{
	struct av_id id = id_of(report->report_id);
	feed(world, EVENT(REPORT_FILED), &report->base, &id);
	return id;
}

struct av_id world_file_unnamed(struct world *world, Avvik__V1__ReportFiled *report)
{
	report->reporter_named = false;
	return world_file(world, report);
}

/* --- commands --- */

Avvik__V1__Reply *world_ask(struct world *world, unsigned int number, ProtobufCMessage *body)
{
	return harness_order(world->h, &world->cases, NULL, NULL, number, body);
}

Avvik__V1__Case *world_case(struct world *world, const struct av_id *id)
{
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	Avvik__V1__Reply *reply;
	struct av_id copy = *id;

	get.case_id = BINARY(copy);
	reply = world_ask(world, COMMAND(GET_CASE), &get.base);
	harness_want(reply, REPLY(DONE));
	return reply->case_found->case_;
}

Avvik__V1__Reply *world_act(struct world *world, const char *person, const struct av_id *id, unsigned int act,
	ProtobufCMessage *body, const char *acted)
{
	Avvik__V1__ActOnCase order = AVVIK__V1__ACT_ON_CASE__INIT;
	struct av_id copy = *id;
	char reference[40];

	order.case_id = BINARY(copy);
	order.version_seen = world_case(world, id)->version;
	order.acted_at_ms = acted ? harness_at(acted) : 0;
	order.act_case = (Avvik__V1__ActOnCase__ActCase)act;
	order.place = (Avvik__V1__PlaceCase *)body; /* any of the union */
	snprintf(reference, sizeof(reference), "act-%u", ++world->references);
	return harness_order(world->h, &world->cases, reference, person, COMMAND(ACT_ON_CASE), &order.base);
}

Avvik__V1__ActAccepted *world_does(struct world *world, const char *person, const struct av_id *id,
	unsigned int act, ProtobufCMessage *body, const char *acted)
{
	Avvik__V1__Reply *reply = world_act(world, person, id, act, body, acted);
	harness_want(reply, REPLY(DONE));
	return reply->act_accepted;
}

static Avvik__V1__DeadlinesFound *deadlines(struct world *world, const struct av_id *id)
{
	Avvik__V1__ListDeadlines list = AVVIK__V1__LIST_DEADLINES__INIT;
	Avvik__V1__Reply *reply;
	struct av_id copy = *id;

	list.case_id = BINARY(copy);
	reply = world_ask(world, COMMAND(LIST_DEADLINES), &list.base);
	harness_want(reply, REPLY(DONE));
	return reply->deadlines_found;
}

size_t world_deadlines(struct world *world, const struct av_id *id)
{
	return deadlines(world, id)->n_deadlines;
}

Avvik__V1__Deadline *world_nth(struct world *world, const struct av_id *id, const char *rule, size_t number)
{
	Avvik__V1__DeadlinesFound *found = deadlines(world, id);
	for (size_t i = 0, count = 0; i < found->n_deadlines; i++)
		if (strcmp(found->deadlines[i]->rule, rule) == 0 && ++count == number)
			return found->deadlines[i];
	fail_msg("the case has no deadline %s number %zu", rule, number);
	return NULL;
}

Avvik__V1__Deadline *world_deadline(struct world *world, const struct av_id *id, const char *rule)
{
	return world_nth(world, id, rule, 1);
}

Avvik__V1__Deadline *world_last(struct world *world, const struct av_id *id, const char *rule)
{
	Avvik__V1__DeadlinesFound *found = deadlines(world, id);
	for (size_t i = found->n_deadlines; i-- > 0;)
		if (strcmp(found->deadlines[i]->rule, rule) == 0)
			return found->deadlines[i];
	fail_msg("the case has no deadline %s", rule);
	return NULL;
}

void world_want_instant(int64_t got, const char *want)
{
	char text[AV_INSTANT_TEXT];
	av_instant_text(got, text);
	assert_string_equal(text, want);
}

void world_want_day(int32_t got, const char *want)
{
	char text[AV_DATE_TEXT];
	av_day_text(got, text);
	assert_string_equal(text, want);
}

void world_want_refused(const Avvik__V1__Reply *reply, Avvik__V1__ReplyStatus status, const char *words)
{
	harness_want(reply, status);
	if (reply->text && strstr(reply->text, words))
		return;
	for (size_t i = 0; i < reply->n_faults; i++)
		if (strstr(reply->faults[i]->text, words))
			return;
	fail_msg("no refusal says \"%s\"", words);
}

void world_want_fault(const Avvik__V1__Reply *reply, Avvik__V1__ReplyStatus status, const char *words)
{
	harness_want(reply, status);
	assert_true(reply->n_faults > 0);
	if (!strstr(reply->faults[0]->text, words))
		fail_msg("got \"%s\", want words of \"%s\"", reply->faults[0]->text, words);
}
