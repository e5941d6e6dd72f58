/* words.c - events as sentences that a case officer understands: one row per type of event.
 *
 * An event without a row, or whose row answers NULL, says nothing: figures, contacts, what daemons keep for
 * themselves. Mails that follow from one event are told in one sentence, when something else comes.
 */
#define HASH_NONFATAL_OOM 1
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "words_parts.h"

/* --- intake --- */

static const char *say_report_filed(struct saying *say)
{
	const Avvik__V1__ReportFiled *body = say->event->report_filed;
	const char *missing = "", *kind = body->type == AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION
						  ? "A deviation report"
					  : body->type == AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH
						  ? "A lex Sarah report"
						  : "A lex Sarah report of a risk";

	for (size_t i = 0; i < body->n_faults; i++)
		missing = SAY("%s%s%s", missing, i ? ", " : "; to be completed: ", body->faults[i]->path);
	return SAY("%s arrives from %s%s%s%s%s", kind,
		*body->source_system ? body->source_system : body->principal, *body->unit ? ", about " : "",
		names_unit(&say->words->names, body->unit),
		body->protected_identity ? ", protected identity" : "", missing);
}

static const char *say_report_supplemented(struct saying *say)
{
	return SAY("%s: more facts arrive from %s", say_subject(say),
		say->event->report_supplemented->principal);
}

static const char *say_directory_published(struct saying *say)
{
	const Avvik__V1__Directory *directory = say->event->directory_published->directory;

	if (!directory || say->daemon != DAEMON_INTAKE)
		return NULL;
	return SAY("The organisation of %s is published: %zu units, %zu people (directory %s)",
		*directory->name ? directory->name : "the committee", directory->n_units, directory->n_people,
		directory->version);
}

static const char *say_rules_published(struct saying *say)
{
	const Avvik__V1__RulePack *rules = say->event->rules_published->rules;

	if (!rules || say->daemon != DAEMON_INTAKE)
		return NULL;
	return SAY("The rule pack %s is published, for reports received from %s: %zu deadlines, %zu rules "
		   "about who is told",
		rules->version, say_day(say, rules->valid_from_on), rules->n_deadlines, rules->n_notices);
}

/* --- every daemon --- */

static const char *say_principals_changed(struct saying *say)
{
	const Avvik__V1__PrincipalsChanged *body = say->event->principals_changed;

	if (!body->n_changed && !body->n_removed)
		return NULL; /* the first reading of the file */
	return SAY("%s: who may talk to it has changed%s%s%s%s%s%s", daemon_names[say->daemon],
		body->n_added ? "; added " : "", say_joined(say, body->added, body->n_added),
		body->n_changed ? "; changed " : "", say_joined(say, body->changed, body->n_changed),
		body->n_removed ? "; removed " : "", say_joined(say, body->removed, body->n_removed));
}

static const char *say_quarantine_resolved(struct saying *say)
{
	const Avvik__V1__QuarantineResolved *body = say->event->quarantine_resolved;
	return SAY("%s: event %llu of %s, which could not be handled, is %s: %s", daemon_names[say->daemon],
		(unsigned long long)body->sequence, body->feed,
		body->action == AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_DROP ? "dropped"
										     : "tried again",
		body->reason ? body->reason->text : "");
}

static const char *say_feed_resolved(struct saying *say)
{
	const Avvik__V1__FeedResolved *body = say->event->feed_resolved;
	return SAY("%s: the feed of %s goes on after a decision: %s", daemon_names[say->daemon], body->feed,
		body->reason ? body->reason->text : "");
}

static const char *say_journal_restored(struct saying *say)
{
	return SAY("%s was restored from a backup, as it was after event %llu", daemon_names[say->daemon],
		(unsigned long long)say->event->journal_restored->sequence);
}

static const char *say_item_set_aside(struct saying *say)
{
	return SAY("%s set aside something from %s that it could not take: an administrator must look",
		daemon_names[say->daemon], say->event->item_set_aside->source);
}

static const char *say_content_read(struct saying *say)
{
	const Avvik__V1__ContentRead *body = say->event->content_read;
	return SAY("%s: %s read what %s keeps of it (%s)", say_subject(say), body->person,
		daemon_names[say->daemon], body->purpose);
}

static const char *say_content_erased(struct saying *say)
{
	const Avvik__V1__ContentErased *body = say->event->content_erased;

	if (!say->event->case_id.len)
		return NULL; /* an address that was superseded */
	return SAY("%s: content in %s was erased (%s)%s", say_subject(say), daemon_names[say->daemon],
		body->reason, say_by(say));
}

/* --- notification --- */

static void mails_append(struct words *words, const char *format, const char *text)
{
	size_t used = strlen(words->mails.text), room = sizeof words->mails.text - used;

	if (strlen(format) + strlen(text) + sizeof words->mails.label + 40 > room)
		words->mails.left_out++;
	else if (strcmp(format, ", ") == 0)
		snprintf(words->mails.text + used, room, ", %s", text);
	else
		snprintf(words->mails.text + used, room, " (%s)", text);
}

/* "saga.samordnare, signe.samordnare (SAS, task), the reporter (acknowledgement)": the label follows those it
 * holds for. */
static const char *say_notice_decided(struct saying *say)
{
	const Avvik__V1__Notice *notice = say->event->notice_decided->notice;
	struct words *words = say->words;

	if (!notice)
		return NULL;
	const char *kind = notice->kind == AVVIK__V1__NOTICE_KIND__NOTICE_KIND_EXISTS
				   ? "that the case exists"
				   : say_enum(say, &avvik__v1__notice_kind__descriptor, (int)notice->kind);
	const char *label = *notice->person && *notice->role
				    ? SAY("%s, %s", names_role(&words->names, notice->role, false), kind)
				    : kind;
	const char *person = *notice->person ? notice->person : "the reporter";
	if (*notice->deputy_for)
		person = SAY("%s, deputy for %s", person, notice->deputy_for);
	if (!words->mails.any) {
		memset(&words->mails, 0, sizeof words->mails);
		words->mails.any = true;
		words->mails.at_ms = say->event->recorded_at_ms;
		if (say->event->cause_id.len == sizeof words->mails.cause)
			memcpy(words->mails.cause, say->event->cause_id.data, sizeof words->mails.cause);
		snprintf(words->mails.subject, sizeof words->mails.subject, "%s", say_subject(say));
		snprintf(words->mails.text, sizeof words->mails.text, "%.200s", person);
	} else {
		if (strcmp(words->mails.label, label) != 0)
			mails_append(words, "()", words->mails.label);
		mails_append(words, ", ", person);
	}
	snprintf(words->mails.label, sizeof words->mails.label, "%s", label);
	words->mails.waits |= notice->not_before_ms > notice->decided_at_ms;
	return NULL;
}

static const char *say_notice_given_up(struct saying *say)
{
	const Avvik__V1__NoticeGivenUp *body = say->event->notice_given_up;
	return SAY("%s: a mail could not be delivered and is GIVEN UP after %u attempts (%s)",
		say_subject(say), body->attempts, body->error);
}

static const char *say_notice_unreachable(struct saying *say)
{
	const Avvik__V1__NoticeUnreachable *body = say->event->notice_unreachable;

	if (strcmp(body->role, "reporter") == 0) /* many leave none, and nobody is to blame */
		return SAY("%s: the reporter left no address and is not told", say_subject(say));
	return SAY("%s: NOBODY was told by rule %s: %s at %s: %s", say_subject(say), body->rule,
		names_role(&say->words->names, body->role, false), names_unit(&say->words->names, body->unit),
		names_unreachable(body->why));
}

static const char *say_notice_retried(struct saying *say)
{
	const Avvik__V1__ReasonGiven *reason = say->event->notice_retried->reason;
	return SAY("%s: a mail that was given up is tried again: %s", say_subject(say),
		reason ? reason->text : "");
}

/* clang-format off */
static const struct saying_row sayings[] = {
	{E(PRINCIPALS_CHANGED),  say_principals_changed},
	{E(QUARANTINE_RESOLVED), say_quarantine_resolved},
	{E(FEED_RESOLVED),       say_feed_resolved},
	{E(JOURNAL_RESTORED),    say_journal_restored},
	{E(ITEM_SET_ASIDE),      say_item_set_aside},
	{E(CONTENT_READ),        say_content_read},
	{E(CONTENT_ERASED),      say_content_erased},
	{E(REPORT_FILED),        say_report_filed},
	{E(REPORT_SUPPLEMENTED), say_report_supplemented},
	{E(DIRECTORY_PUBLISHED), say_directory_published},
	{E(RULES_PUBLISHED),     say_rules_published},
	{E(NOTICE_DECIDED),      say_notice_decided},
	{E(NOTICE_GIVEN_UP),     say_notice_given_up},
	{E(NOTICE_UNREACHABLE),  say_notice_unreachable},
	{E(NOTICE_RETRIED),      say_notice_retried},
};
/* clang-format on */

static const struct saying_row *row_of(const Avvik__V1__Event *event)
{
	for (size_t i = 0; i < case_saying_count; i++)
		if (case_sayings[i].event == event->body_case)
			return &case_sayings[i];
	for (size_t i = 0; i < deviation_saying_count; i++)
		if (deviation_sayings[i].event == event->body_case)
			return &deviation_sayings[i];
	for (size_t i = 0; i < join_saying_count; i++)
		if (join_sayings[i].event == event->body_case)
			return &join_sayings[i];
	for (size_t i = 0; i < AV_COUNT(sayings); i++)
		if (sayings[i].event == event->body_case)
			return &sayings[i];
	return NULL;
}

const char *words_of(
	struct words *words, enum tool_daemon daemon, const Avvik__V1__Event *event, struct av_arena *arena)
{
	struct saying say = {words, arena, event, daemon};
	const struct saying_row *row = row_of(event);
	const char *text = row ? row->say(&say) : NULL;

	/* What was done in another system is told with its time there. */
	if (text && event->actor && *event->actor->taken_over_from &&
		event->occurred_at_ms < event->recorded_at_ms)
		text = av_arena_printf(arena, "%s [in %s, %s]", text, event->actor->taken_over_from,
			tool_time(words->names.tool, event->occurred_at_ms));
	return text;
}

const char *words_mails(
	struct words *words, const Avvik__V1__Event *next, struct av_arena *arena, int64_t *ret_at_ms)
{
	bool same = next && next->body_case == E(NOTICE_DECIDED) &&
		    next->cause_id.len == sizeof words->mails.cause &&
		    memcmp(next->cause_id.data, words->mails.cause, sizeof words->mails.cause) == 0;

	if (!words->mails.any || same || (next && !row_of(next)))
		return NULL;
	words->mails.any = false;
	*ret_at_ms = words->mails.at_ms;
	const char *more =
		words->mails.left_out ? av_arena_printf(arena, " and %zu more", words->mails.left_out) : "";
	return av_arena_printf(arena, "%s: mail to %s (%s)%s%s", words->mails.subject, words->mails.text,
		words->mails.label, more, words->mails.waits ? ", after the quiet hours" : "");
}

void words_end(struct words *words)
{
	struct known_case *known, *next;

	HASH_ITER (hh, words->cases, known, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed was taken out */
		HASH_DEL(words->cases, known);
		free(known);
	}
}
