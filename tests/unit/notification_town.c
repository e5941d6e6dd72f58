/* notification_town.c - see notification_town.h */
#include "notification_town.h"

#define LEVEL(name) AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_##name

static unsigned char case_bytes[16] = {1}, event_bytes[16] = {2}, measure_bytes[16] = {3};
struct av_arena *arena;
const ProtobufCBinaryData measure_id = {16, measure_bytes};

/* --- a small town --- */

static Avvik__V1__Unit units[4];
Avvik__V1__Unit *const solen = &units[3];
static Avvik__V1__Person people[8];
static Avvik__V1__RoleHeld held[8];
static Avvik__V1__RoleHeld *held_lists[8][1];
static Avvik__V1__Deputy anna_away = AVVIK__V1__DEPUTY__INIT;
static Avvik__V1__Deputy *anna_deputies[1] = {&anna_away};
static Avvik__V1__Unit *unit_list[4];
static Avvik__V1__Person *person_list[8];
static Avvik__V1__Directory town = AVVIK__V1__DIRECTORY__INIT;
static size_t person_count;

static void add_unit(size_t i, const char *code, const char *parent, Avvik__V1__UnitLevel level)
{
	avvik__v1__unit__init(&units[i]);
	units[i].code = (char *)code;
	units[i].parent = (char *)parent;
	units[i].level = level;
	units[i].operation = AVVIK__V1__OPERATION__OPERATION_OWN;
	unit_list[i] = &units[i];
}

static void add_person(const char *id, const char *role, const char *unit)
{
	size_t i = person_count++;
	avvik__v1__person__init(&people[i]);
	avvik__v1__role_held__init(&held[i]);
	people[i].id = (char *)id;
	held[i].role = (char *)role;
	held[i].unit = (char *)unit;
	held_lists[i][0] = &held[i];
	people[i].n_roles = 1;
	people[i].roles = held_lists[i];
	person_list[i] = &people[i];
}

static const struct av_org *town_make(void)
{
	person_count = 0;
	add_unit(0, "namnden", "", LEVEL(COMMITTEE));
	add_unit(1, "forvaltningen", "namnden", LEVEL(ADMINISTRATION));
	add_unit(2, "aldre", "forvaltningen", LEVEL(DEPARTMENT));
	add_unit(3, "solen", "aldre", LEVEL(UNIT));
	add_person("anna", "EC", "solen");
	add_person("bo", "BITR", "solen");
	add_person("cia", "AC", "aldre");
	add_person("dan", "SAS", "forvaltningen");
	add_person("eva", "SAS", "forvaltningen");
	town.n_units = 4;
	town.units = unit_list;
	town.n_people = person_count;
	town.people = person_list;
	return av_org_create(&town, arena);
}

/* --- questions --- */

static Avvik__V1__Recipient recipients[8];
static Avvik__V1__Recipient *recipient_list[8];
static Avvik__V1__NoticeRule rules[4];
static Avvik__V1__NoticeRule *rule_list[4];
Avvik__V1__RulePack pack;
static size_t recipient_count;

void pack_clear(void)
{
	avvik__v1__rule_pack__init(&pack);
	pack.notices = rule_list;
	recipient_count = 0;
}

Avvik__V1__NoticeRule *rule(const char *id, const char *event, const char *to, Avvik__V1__NoticeKind kind)
{
	size_t i = pack.n_notices++;
	avvik__v1__notice_rule__init(&rules[i]);
	rules[i].id = (char *)id;
	rules[i].event = (char *)event;
	rules[i].kind = kind;
	rules[i].template_ = (char *)"some";
	rules[i].to = &recipient_list[recipient_count];
	rule_list[i] = &rules[i];
	while (*to) {
		size_t size = strcspn(to, " "), role = strcspn(to, " @");
		Avvik__V1__Recipient *one = &recipients[recipient_count];
		avvik__v1__recipient__init(one);
		one->role = av_arena_printf(arena, "%.*s", (int)role, to);
		if (role < size)
			one->from_level =
				av_arena_printf(arena, "%.*s", (int)(size - role - 1), to + role + 1);
		recipient_list[recipient_count++] = one;
		rules[i].n_to++;
		to += size + (to[size] == ' ');
	}
	return &rules[i];
}

Avvik__V1__CaseKnown known(Avvik__V1__CaseKind kind, Avvik__V1__CaseState state, const char *unit)
{
	Avvik__V1__CaseKnown found = AVVIK__V1__CASE_KNOWN__INIT;
	found.case_id = (ProtobufCBinaryData){16, case_bytes};
	found.kind = kind;
	found.state = state;
	found.unit = (char *)unit;
	found.number = (char *)"2026-0042";
	return found;
}

Avvik__V1__Event event_of(int number, void *body)
{
	Avvik__V1__Event event = AVVIK__V1__EVENT__INIT;
	event.event_id = (ProtobufCBinaryData){16, event_bytes};
	event.case_id = (ProtobufCBinaryData){16, case_bytes};
	event.body_case = (Avvik__V1__Event__BodyCase)number;
	event.case_opened = body; /* members of one union */
	return event;
}

static const char *told(const struct notice_question *question)
{
	struct notice_decision *decisions = NULL;
	size_t count = 0;
	bool matched;
	char *text = av_arena_strdup(arena, "");

	assert_int_equal(notices_decide(question, arena, &decisions, &count, &matched), AV_OK);
	for (size_t i = 0; i < count; i++) {
		const struct notice_decision *d = &decisions[i];
		const char *who = !d->person   ? av_arena_printf(arena, "!%s", d->why)
				  : *d->person ? d->person
					       : "reporter";
		text = av_arena_printf(arena, "%s%s%s:%s%s%s", text, i ? " " : "", d->rule, who,
			d->deputy_for ? "/" : "", d->deputy_for ? d->deputy_for : "");
	}
	return text;
}

struct notice_question question(
	const Avvik__V1__Event *event, const Avvik__V1__CaseKnown *before, const Avvik__V1__CaseKnown *after)
{
	return (struct notice_question){.event = event,
		.before = before,
		.after = after,
		.pack = &pack,
		.org = town_make(),
		.reporter_has_mail = true,
		.now_ms = av_local_instant(20550, 10 * 3600000)};
}

void anna_is_away(struct notice_question *q)
{
	anna_away.person = (char *)"bo";
	anna_away.from_on = 20540;
	anna_away.until_on = 20560;
	people[0].n_deputies = 1;
	people[0].deputies = anna_deputies;
	q->org = av_org_create(&town, arena);
}

void want(const char *what, const struct notice_question *q, const char *want_told)
{
	const char *got = told(q);
	if (strcmp(got, want_told) != 0)
		fail_msg("%s: got \"%s\", want \"%s\"", what, got, want_told);
}

int town_start(void **state)
{
	(void)state;
	arena = av_arena_create(0);
	pack_clear();
	avvik__v1__deputy__init(&anna_away);
	return arena ? 0 : -1;
}

int town_stop(void **state)
{
	(void)state;
	av_arena_destroy(&arena);
	return 0;
}
