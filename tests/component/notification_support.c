/* notification_support.c - see notification_support.h */
#include "notification_support.h"

#include "avvik/v1/directory.pb-c.h"
#include "avvik/v1/report.pb-c.h"
#include "base/date.h"
#include "base/macros.h"

#define CONTACT_PART AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT
#define KIND(name) AVVIK__V1__NOTICE_KIND__NOTICE_KIND_##name
#define LEVEL(name) AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_##name

static ProtobufCBinaryData data_of(struct harness *h, struct av_bytes bytes)
{
	return (ProtobufCBinaryData){bytes.size, av_arena_copy(h->arena, bytes.data, bytes.size)};
}

struct av_id town_id(unsigned char number)
{
	struct av_id id = {{0x01, 0x9d, 0x66, 0, 0, number, 0x70, 0, 0x80}};
	id.bytes[15] = number;
	return id;
}

void town_started(struct harness *h)
{
	struct av_txn *txn = harness_read(h);
	unsigned char run[8];

	av_put_u64(run, av_counter(txn, RUN_COUNTER));
	av_txn_abort(&txn);
	assert_int_equal(harness_inner(h, INNER_STARTED, av_bytes(run, sizeof run)), AV_OK);
}

struct harness *town_open(void)
{
	struct harness *h = harness_open(&notification_service, harness_at("2026-04-07 09:00"));
	town_started(h);
	return h;
}

/* --- rules --- */

static Avvik__V1__Recipient *recipient(struct harness *h, const char *role)
{
	Avvik__V1__Recipient *to = AV_NEW(h->arena, Avvik__V1__Recipient, avvik__v1__recipient);
	to->role = (char *)role;
	return to;
}

static Avvik__V1__NoticeRule *notice_rule(
	struct harness *h, const char *id, const char *event, const char *role, Avvik__V1__NoticeKind kind)
{
	Avvik__V1__NoticeRule *rule = AV_NEW(h->arena, Avvik__V1__NoticeRule, avvik__v1__notice_rule);
	rule->id = (char *)id;
	rule->event = (char *)event;
	rule->kind = kind;
	rule->template_ = (char *)"deviation-received-task";
	if (role) {
		rule->n_to = 1;
		rule->to = av_arena_alloc(h->arena, sizeof *rule->to);
		rule->to[0] = recipient(h, role);
	}
	return rule;
}

Avvik__V1__Event *town_rules(struct harness *h)
{
	Avvik__V1__RulesPublished *published =
		AV_NEW(h->arena, Avvik__V1__RulesPublished, avvik__v1__rules_published);
	Avvik__V1__RulePack *pack = AV_NEW(h->arena, Avvik__V1__RulePack, avvik__v1__rule_pack);
	Avvik__V1__NoticeRule **rules = av_arena_alloc(h->arena, 8 * sizeof *rules);

	published->rules = pack;
	pack->version = (char *)"test-1";
	pack->valid_from_on = 20000;
	pack->quiet_hours = AV_NEW(h->arena, Avvik__V1__QuietHours, avvik__v1__quiet_hours);
	pack->quiet_hours->from_minute = 19 * 60;
	pack->quiet_hours->to_minute = 7 * 60;
	rules[pack->n_notices++] = notice_rule(h, "N1", "CaseOpened", "EC", KIND(TASK));
	rules[pack->n_notices++] = notice_rule(h, "N2", "CaseOpened", "reporter", KIND(ACKNOWLEDGEMENT));
	rules[pack->n_notices] = notice_rule(h, "N4", "CaseOpened", "REGISTRATOR", KIND(TASK));
	rules[pack->n_notices++]->incomplete = true;
	rules[pack->n_notices++] = notice_rule(h, "N80", "CaseClosed", "reporter", KIND(FEEDBACK));
	rules[pack->n_notices++] = notice_rule(h, "N90", "RungFired", NULL, KIND(TASK));
	rules[pack->n_notices++] = notice_rule(h, "N91", "SeriousFound", "FC", KIND(TASK));
	pack->notices = rules;
	return harness_event(h, EVENT(RULES_PUBLISHED), &published->base, NULL, 0);
}

/* --- directory --- */

static Avvik__V1__Unit *unit(
	struct harness *h, const char *code, const char *parent, Avvik__V1__UnitLevel level)
{
	Avvik__V1__Unit *made = AV_NEW(h->arena, Avvik__V1__Unit, avvik__v1__unit);
	made->code = (char *)code;
	made->name = (char *)code;
	made->parent = (char *)parent;
	made->level = level;
	made->operation = AVVIK__V1__OPERATION__OPERATION_OWN;
	return made;
}

static Avvik__V1__Person *person(struct harness *h, const char *id, const char *role, const char *at)
{
	Avvik__V1__Person *made = AV_NEW(h->arena, Avvik__V1__Person, avvik__v1__person);
	Avvik__V1__RoleHeld *held = AV_NEW(h->arena, Avvik__V1__RoleHeld, avvik__v1__role_held);
	made->id = (char *)id;
	held->role = (char *)role;
	held->unit = (char *)at;
	made->roles = av_arena_alloc(h->arena, sizeof *made->roles);
	made->roles[0] = held;
	made->n_roles = 1;
	return made;
}

static Avvik__V1__OpenedPart *contact_part(struct harness *h, const char *name, const char *mail)
{
	Avvik__V1__OpenedPart *part = AV_NEW(h->arena, Avvik__V1__OpenedPart, avvik__v1__opened_part);
	Avvik__V1__Contact contact = AVVIK__V1__CONTACT__INIT;

	contact.name = (char *)name;
	contact.mail = (char *)mail;
	part->part = CONTACT_PART;
	part->body = data_of(h, av_message_pack(&contact.base, h->arena));
	return part;
}

static Avvik__V1__ContentRef *contact_ref(struct harness *h, struct av_id content_id)
{
	Avvik__V1__ContentRef *ref = AV_NEW(h->arena, Avvik__V1__ContentRef, avvik__v1__content_ref);
	ref->content_id = data_of(h, av_bytes(content_id.bytes, AV_ID_SIZE));
	ref->n_parts = 1;
	ref->parts = av_arena_alloc(h->arena, sizeof *ref->parts);
	ref->parts[0] = CONTACT_PART;
	return ref;
}

struct told_directory town_directory(struct harness *h, bool anna_away, const char *anna_mail)
{
	static unsigned char version;
	static const char *const ids[] = {"anna", "bo", "dan", "rita"};
	Avvik__V1__DirectoryPublished *published =
		AV_NEW(h->arena, Avvik__V1__DirectoryPublished, avvik__v1__directory_published);
	Avvik__V1__Directory *directory = AV_NEW(h->arena, Avvik__V1__Directory, avvik__v1__directory);
	struct told_directory told = {.parts = av_arena_alloc(h->arena, 4 * sizeof(Avvik__V1__OpenedPart *))};

	published->directory = directory;
	directory->version = av_arena_printf(h->arena, "v%u", ++version);
	directory->name = (char *)"Socialnämnden i Lindåker";
	directory->units = av_arena_alloc(h->arena, 3 * sizeof *directory->units);
	directory->units[directory->n_units++] = unit(h, "namnden", "", LEVEL(COMMITTEE));
	directory->units[directory->n_units++] = unit(h, "forvaltningen", "namnden", LEVEL(ADMINISTRATION));
	directory->units[directory->n_units++] = unit(h, "solen", "forvaltningen", LEVEL(UNIT));
	directory->people = av_arena_alloc(h->arena, 4 * sizeof *directory->people);
	directory->people[directory->n_people++] = person(h, "anna", "EC", "solen");
	directory->people[directory->n_people++] = person(h, "bo", "BITR_EC", "solen");
	directory->people[directory->n_people++] = person(h, "dan", "SAS", "forvaltningen");
	directory->people[directory->n_people++] = person(h, "rita", "REGISTRATOR", "namnden");
	if (anna_away) {
		Avvik__V1__Person *anna = directory->people[0];
		Avvik__V1__Deputy *deputy = AV_NEW(h->arena, Avvik__V1__Deputy, avvik__v1__deputy);
		deputy->person = (char *)"bo";
		deputy->from_on = av_local_day(h->now_ms) - 1;
		deputy->until_on = deputy->from_on + 10;
		anna->deputies = av_arena_alloc(h->arena, sizeof *anna->deputies);
		anna->deputies[0] = deputy;
		anna->n_deputies = 1;
	}
	published->contacts = av_arena_alloc(h->arena, 4 * sizeof *published->contacts);
	for (unsigned char i = 0; i < 4; i++) {
		Avvik__V1__PersonContact *contact =
			AV_NEW(h->arena, Avvik__V1__PersonContact, avvik__v1__person_contact);
		contact->person = (char *)ids[i];
		contact->content = contact_ref(h, town_id((unsigned char)(100 + i)));
		published->contacts[published->n_contacts++] = contact;
		told.parts[told.count++] = contact_part(
			h, ids[i], i == 0 ? anna_mail : av_arena_printf(h->arena, "%s@lindaker.se", ids[i]));
	}
	told.event = harness_event(h, EVENT(DIRECTORY_PUBLISHED), &published->base, NULL, 0);
	return told;
}

int town_tell_directory(struct harness *h, struct told_directory directory)
{
	return harness_feed_parts(h, "intake", directory.event, directory.parts, directory.count);
}

void town_told(struct harness *h)
{
	assert_int_equal(harness_feed(h, "intake", town_rules(h)), AV_OK);
	assert_int_equal(town_tell_directory(h, town_directory(h, false, "anna@lindaker.se")), AV_OK);
}

/* --- cases --- */

int town_report(struct harness *h, struct av_id case_id, const char *mail)
{
	Avvik__V1__ReportFiled *filed = AV_NEW(h->arena, Avvik__V1__ReportFiled, avvik__v1__report_filed);
	struct av_id content_id = case_id;
	Avvik__V1__OpenedPart *part;

	content_id.bytes[8] = 0x81;
	filed->report_id = data_of(h, av_bytes(case_id.bytes, AV_ID_SIZE));
	filed->content = contact_ref(h, content_id);
	if (!mail)
		filed->content->n_parts = 0;
	Avvik__V1__Event *event = harness_event(h, EVENT(REPORT_FILED), &filed->base, &case_id, 0);
	if (!mail)
		return harness_feed(h, "intake", event);
	part = contact_part(h, "Åsa", mail);
	return harness_feed_parts(h, "intake", event, &part, 1);
}

int town_corrected(struct harness *h, struct av_id case_id, const char *mail)
{
	Avvik__V1__ContentCorrected *corrected =
		AV_NEW(h->arena, Avvik__V1__ContentCorrected, avvik__v1__content_corrected);
	static Avvik__V1__ContentPart wrong_parts[] = {
		AVVIK__V1__CONTENT_PART__CONTENT_PART_REPORTER, CONTACT_PART};
	Avvik__V1__OpenedPart *part = mail ? contact_part(h, "Åsa", mail) : NULL;
	struct av_id content_id = case_id, wrong_id = case_id;

	content_id.bytes[8] = 0x82;
	wrong_id.bytes[8] = 0x81;
	corrected->content_id = data_of(h, av_bytes(wrong_id.bytes, AV_ID_SIZE));
	corrected->n_parts = AV_COUNT(wrong_parts);
	corrected->parts = wrong_parts;
	corrected->content = contact_ref(h, content_id);
	if (!mail)
		corrected->content->parts[0] = AVVIK__V1__CONTENT_PART__CONTENT_PART_REPORTER;
	return harness_feed_parts(h, "workflow",
		harness_event(h, EVENT(CONTENT_CORRECTED), &corrected->base, &case_id, 0), &part,
		mail ? 1 : 0);
}

int town_report_erased(struct harness *h, struct av_id case_id)
{
	Avvik__V1__ContentErased *erased =
		AV_NEW(h->arena, Avvik__V1__ContentErased, avvik__v1__content_erased);
	struct av_id content_id = case_id;

	content_id.bytes[8] = 0x81;
	erased->content_id = data_of(h, av_bytes(content_id.bytes, AV_ID_SIZE));
	return harness_feed(h, "intake", harness_event(h, EVENT(CONTENT_ERASED), &erased->base, &case_id, 0));
}

Avvik__V1__Event *town_opened(struct harness *h, struct av_id case_id, Avvik__V1__CaseKind kind,
	const char *unit_code, Avvik__V1__CaseState state)
{
	Avvik__V1__CaseOpened *opened = AV_NEW(h->arena, Avvik__V1__CaseOpened, avvik__v1__case_opened);
	opened->kind = kind;
	opened->state = state;
	opened->unit = (char *)unit_code;
	opened->number = av_arena_printf(h->arena, "2026-%04u", case_id.bytes[15]);
	opened->rules_version = (char *)"test-1";
	opened->legal_reference = (char *)"27 kap. socialtjänstlagen (2025:400)";
	return harness_event(h, EVENT(CASE_OPENED), &opened->base, &case_id, 0);
}

Avvik__V1__Event *town_closed(struct harness *h, struct av_id case_id)
{
	Avvik__V1__CaseClosed *closed = AV_NEW(h->arena, Avvik__V1__CaseClosed, avvik__v1__case_closed);
	return harness_event(h, EVENT(CASE_CLOSED), &closed->base, &case_id, 0);
}

Avvik__V1__Event *town_rung(struct harness *h, struct av_id case_id, const char *rule, bool late)
{
	Avvik__V1__RungFired *fired = AV_NEW(h->arena, Avvik__V1__RungFired, avvik__v1__rung_fired);
	fired->rule = (char *)rule;
	fired->kind = AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE;
	fired->statutory = strcmp(rule, "D5") == 0;
	fired->late = late;
	fired->due_on = av_local_day(h->now_ms) - 1;
	fired->n_to = 1;
	fired->to = av_arena_alloc(h->arena, sizeof *fired->to);
	fired->to[0] = recipient(h, "SAS");
	return harness_event(h, EVENT(RUNG_FIRED), &fired->base, &case_id, 0);
}

int town_tell(struct harness *h, Avvik__V1__Event *event)
{
	return harness_feed(h, "workflow", event);
}

/* --- what came of it --- */

const char *town_notices(struct harness *h)
{
	const char *text = "";
	for (uint64_t sequence = 1; sequence <= harness_head(h); sequence++) {
		Avvik__V1__Event *event = harness_at_sequence(h, sequence);
		if (event->body_case != EVENT(NOTICE_DECIDED))
			continue;
		const Avvik__V1__Notice *notice = event->notice_decided->notice;
		text = av_arena_printf(h->arena, "%s%s%s:%s%s%s", text, *text ? " " : "", notice->rule,
			notice->person[0] ? notice->person : "reporter", notice->deputy_for[0] ? "/" : "",
			notice->deputy_for);
	}
	return text;
}

size_t town_under_way(struct harness *h, struct underway *ret_mails)
{
	struct av_txn *txn = harness_read(h);
	size_t count = underway_all(txn, ret_mails);
	av_txn_abort(&txn);
	return count;
}

static void end(struct harness *h, const struct underway *mail, enum outcome outcome, bool perhaps_sent)
{
	struct delivery_ended ended;
	memset(&ended, 0, sizeof ended);
	memcpy(ended.leader, mail->leader.bytes, AV_ID_SIZE);
	ended.attempt = mail->attempt;
	ended.outcome = outcome;
	ended.perhaps_sent = perhaps_sent;
	assert_true(harness_inner(h, INNER_ENDED, av_bytes(&ended, sizeof ended)) >= 0);
}

void town_ends(struct harness *h, enum outcome outcome, bool perhaps_sent)
{
	struct underway mails[UNDERWAY_MAX];
	assert_int_equal(town_under_way(h, mails), 1);
	end(h, &mails[0], outcome, perhaps_sent);
}

void town_all_delivered(struct harness *h)
{
	struct underway mails[UNDERWAY_MAX];
	size_t count;
	for (harness_tick(h, h->now_ms); (count = town_under_way(h, mails)) > 0; harness_tick(h, h->now_ms))
		for (size_t i = 0; i < count; i++)
			end(h, &mails[i], OUTCOME_DELIVERED, false);
}
