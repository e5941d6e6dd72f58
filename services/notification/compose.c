/* compose.c - from a notice to the mail: template, facts, address.
 *
 * What may be said: which kind of matter, its number and unit, what is expected and by when. Never what
 * happened or to whom; that is not even known here.
 */
#include "compose.h"

#include <stdio.h>
#include <string.h>
#include "base/date.h"
#include "expectation.h"
#include "mail.h"
#include "notice_rules.h"
#include "org/reference.h"
#include "seal/crypto.h"
#include "store/content.h"
#include "wire/message.h"
#include "wire/rules.h"

#define DIGEST_TEMPLATE "digest"
#define CONTACT_PART AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT

void day_words(int32_t day, char ret_text[DAY_WORDS])
{
	static const char *const weekdays[] = {
		"", "måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"};
	static const char *const months[] = {"", "januari", "februari", "mars", "april", "maj", "juni",
		"juli", "augusti", "september", "oktober", "november", "december"};
	struct av_date date = av_date_of(day);

	snprintf(ret_text, DAY_WORDS, "%s %d %s %d", weekdays[av_weekday(day)], date.day, months[date.month],
		date.year);
}

/* --- the address --- */

static enum outcome open_contact(const struct composer *c, const char *person, struct av_bytes case_id,
	struct av_arena *arena, Avvik__V1__Contact **ret_contact)
{
	struct contact contact;
	struct av_bytes body;
	ProtobufCMessage *opened;

	if (contact_load(c->txn, person, case_id, &contact) < 0)
		return OUTCOME_CONTACT_MISSING;
	if (id_is_zero(&contact.content_id))
		return OUTCOME_NO_ADDRESS;
	int status = av_content_get(c->txn, c->keys, &contact.content_id, CONTACT_PART, arena, &body);
	if (status == AV_ERASED)
		return OUTCOME_NO_ADDRESS;
	if (status < 0 || av_message_load(&avvik__v1__contact__descriptor, body, arena, &opened) < 0)
		return OUTCOME_INTERNAL;
	*ret_contact = (Avvik__V1__Contact *)opened;
	return OUTCOME_DELIVERED;
}

/* --- the fields --- */

static const Avvik__V1__DeadlineRule *deadline_rule(const Avvik__V1__RulePack *pack, const char *id)
{
	for (size_t i = 0; pack && i < pack->n_deadlines; i++)
		if (strcmp(pack->deadlines[i]->id, id) == 0)
			return pack->deadlines[i];
	return NULL;
}

static const char *role_name(const Avvik__V1__RulePack *pack, const char *role)
{
	if (strcmp(role, "reporter") == 0)
		return "rapportör";
	if (strcmp(role, "responsible") == 0)
		return "ansvarig";
	for (size_t i = 0; pack && i < pack->n_roles; i++)
		if (strcmp(pack->roles[i]->code, role) == 0)
			return pack->roles[i]->name;
	return role;
}

static const char *deputy_note(
	const struct composer *c, const Avvik__V1__Notice *notice, struct av_arena *arena)
{
	Avvik__V1__Contact *absent = NULL;
	const char *name = notice->deputy_for;

	if (*name == '\0')
		return "";
	if (open_contact(c, notice->deputy_for, av_bytes(NULL, 0), arena, &absent) == OUTCOME_DELIVERED &&
		absent->name[0] != '\0')
		name = absent->name;
	return av_arena_printf(arena, "Du får det här meddelandet som ersättare för %s.", name);
}

static const char *kind_words(Avvik__V1__CaseKind kind)
{
	switch (kind) {
	case AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH:
		return "rapport enligt lex Sarah";
	case AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION:
		return "rapport enligt lex Sarah hos en utförare";
	default:
		return "avvikelse";
	}
}

static int fill(const struct composer *c, const struct template *template, const Avvik__V1__Notice *notice,
	const Avvik__V1__Contact *contact, const char *list, struct av_arena *arena, const char **ret_subject,
	const char **ret_body)
{
	const char *values[FIELD_COUNT] = {NULL};
	const Avvik__V1__RulePack *pack = NULL;
	Avvik__V1__CaseKnown *known = NULL;
	const struct av_org *org = NULL;
	char due[DAY_WORDS] = "";

	if (case_load(c->txn, data_bytes(notice->case_id), arena, &known) == AV_OK &&
		known_pack(c->known, c->txn, known->rules_version, &pack) < 0)
		pack = NULL;
	if (known_org(c->known, c->txn, &org) < 0)
		org = NULL;
	const Avvik__V1__Unit *unit = org ? av_org_unit(org, notice->unit) : NULL;
	const Avvik__V1__DeadlineRule *rule = deadline_rule(pack, notice->deadline);
	if (notice->due_on)
		day_words(notice->due_on, due);
	values[FIELD_NUMBER] = notice->number;
	values[FIELD_KIND] = kind_words(notice->case_kind);
	values[FIELD_UNIT_NAME] = unit && unit->name[0] ? unit->name : notice->unit;
	values[FIELD_COMMITTEE] = org ? av_org_directory(org)->name : "";
	values[FIELD_DUE] = due;
	values[FIELD_DEADLINE_NAME] = rule ? rule->name : notice->deadline;
	values[FIELD_EXPECTED] = expectation(rule, arena);
	values[FIELD_LAW] = known ? known->legal_reference : "";
	values[FIELD_NOTIFY_LAW] =
		known && pack ? av_reference(pack, "notify", known->laws, known->n_laws) : "";
	values[FIELD_SOURCE] = rule ? rule->source : "";
	values[FIELD_PERSON_NAME] = contact->name;
	values[FIELD_ROLE_NAME] = role_name(pack, notice->role);
	values[FIELD_DEPUTY_NOTE] = deputy_note(c, notice, arena);
	values[FIELD_LATE_NOTE] =
		notice->late
			? "Det här meddelandet skickas senare än planerat, eftersom systemet har stått still."
			: "";
	values[FIELD_LIST] = list;
	if (!values[FIELD_EXPECTED] || !values[FIELD_DEPUTY_NOTE])
		return AV_MEMORY;
	return template_fill(template, values, arena, ret_subject, ret_body);
}

/* The subjects of all, a line each: what a person would have got as many mails. */
static const char *digest_list(const struct composer *c, Avvik__V1__Notice *const *notices, size_t count,
	const Avvik__V1__Contact *contact, struct av_arena *arena)
{
	const char *list = "";

	for (size_t i = 0; list && i < count; i++) {
		const struct template *template = templates_find(c->templates, notices[i]->template_);
		const char *subject = notices[i]->number, *body;
		char due[DAY_WORDS] = "";
		if (template && fill(c, template, notices[i], contact, "", arena, &subject, &body) < 0)
			return NULL;
		if (notices[i]->due_on)
			day_words(notices[i]->due_on, due);
		list = av_arena_printf(
			arena, "%s%s- %s%s%s", list, i ? "\n" : "", subject, *due ? ", sista dag " : "", due);
	}
	return list;
}

static enum outcome build(const struct composer *c, const Avvik__V1__Notice *leader,
	const Avvik__V1__Contact *contact, const char *subject, const char *body, struct av_arena *arena,
	struct composed *ret_composed)
{
	const char *from = c->mail && c->mail->from[0]
				   ? c->mail->from
				   : av_arena_printf(arena, "avvik@%s.invalid", c->instance);
	struct mail mail = {.from = from,
		.from_name = c->mail && c->mail->from_name[0] ? c->mail->from_name : "Avvik",
		.to = contact->mail,
		.to_name = contact->name,
		.subject = subject,
		.body = body,
		.message_id = leader->message_id,
		.date_ms = AV_MAX(leader->decided_at_ms, leader->not_before_ms)};

	if (!from)
		return OUTCOME_INTERNAL;
	ret_composed->message = mail_build(&mail, arena);
	ret_composed->from = from;
	ret_composed->to = contact->mail;
	return ret_composed->message.data ? OUTCOME_DELIVERED : OUTCOME_INTERNAL;
}

enum outcome compose(const struct composer *c, const struct underway *mail, struct av_arena *arena,
	struct composed *ret_composed)
{
	Avvik__V1__Notice **notices = av_arena_alloc(arena, DIGEST_MAX * sizeof *notices);
	const char *subject, *body, *list = "";
	Avvik__V1__Contact *contact;

	if (!notices || mail->count == 0)
		return OUTCOME_INTERNAL;
	for (size_t i = 0; i < mail->count; i++)
		if (notice_load(c->txn, &mail->members[i], arena, &notices[i]) < 0)
			return OUTCOME_INTERNAL;
	const Avvik__V1__Notice *leader = notices[0];
	enum outcome outcome = open_contact(c, leader->person, data_bytes(leader->case_id), arena, &contact);
	if (outcome != OUTCOME_DELIVERED)
		return outcome;
	if (!av_is_mail(contact->mail))
		return OUTCOME_NO_ADDRESS;
	const struct template *template =
		templates_find(c->templates, mail->count > 1 ? DIGEST_TEMPLATE : leader->template_);
	if (!template)
		return OUTCOME_TEMPLATE_MISSING;
	if (mail->count > 1)
		list = digest_list(c, notices, mail->count, contact, arena);
	if (!list || fill(c, template, leader, contact, list, arena, &subject, &body) < 0)
		return OUTCOME_INTERNAL;
	return build(c, leader, contact, subject, body, arena, ret_composed);
}
