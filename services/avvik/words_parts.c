/* words_parts.c - what sentences about events are made of. */
#define HASH_NONFATAL_OOM 1
#include "words_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/status.h"

struct known_case *known_case_of(struct words *words, ProtobufCBinaryData id)
{
	struct known_case *known = NULL;

	if (id.len != AV_ID_SIZE)
		return NULL;
	HASH_FIND(hh, words->cases, id.data, AV_ID_SIZE, known);
	if (known)
		return known;
	known = calloc(1, sizeof *known);
	if (!known)
		return NULL;
	memcpy(known->id.bytes, id.data, AV_ID_SIZE);
	HASH_ADD(hh, words->cases, id, AV_ID_SIZE, known);
	if (!known->hh.tbl) {
		free(known);
		return NULL;
	}
	return known;
}

/* A case whose opening was not among the events. */
static void case_ask(struct words *words, struct known_case *known)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__GetCase query = AVVIK__V1__GET_CASE__INIT;

	query.case_id = (ProtobufCBinaryData){AV_ID_SIZE, known->id.bytes};
	command.body_case = AVVIK__V1__COMMAND__BODY_GET_CASE;
	command.get_case = &query;
	snprintf(known->number, sizeof known->number, "?");
	Avvik__V1__Reply *reply = tool_call(words->names.tool, DAEMON_WORKFLOW, &command);
	if (reply && reply->body_case == AVVIK__V1__REPLY__BODY_CASE_FOUND && reply->case_found->case_) {
		const Avvik__V1__Case *found = reply->case_found->case_;
		snprintf(known->number, sizeof known->number, "%s", found->number);
		snprintf(known->unit, sizeof known->unit, "%s", found->unit);
		known->kind = found->kind;
	}
	tool_reply_free(&reply);
}

static const char *kind_words(Avvik__V1__CaseKind kind)
{
	return kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH     ? "lex Sarah"
	       : kind == AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION ? "a private provider's lex Sarah"
								     : "deviation";
}

/* "Case 2026-0007 (lex Sarah, Solgläntan)" */
const char *say_subject(const struct saying *say)
{
	struct known_case *known = known_case_of(say->words, say->event->case_id);

	if (!known)
		return "A case";
	if (!*known->number)
		case_ask(say->words, known);
	return SAY("Case %s (%s%s%s)", known->number, kind_words(known->kind), *known->unit ? ", " : "",
		names_unit(&say->words->names, known->unit));
}

/* "Monday 22 June", with the year when it is another than the event's. */
const char *say_day(const struct saying *say, int32_t on)
{
	static const char *const weekdays[] = {
		"", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
	static const char *const months[] = {"", "January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December"};
	struct av_date date = av_date_of(on), now = av_date_of(av_local_day(say->event->recorded_at_ms));

	if (!on)
		return "an unknown day";
	if (date.year == now.year)
		return SAY("%s %d %s", weekdays[av_weekday(on)], date.day, months[date.month]);
	return SAY("%s %d %s %d", weekdays[av_weekday(on)], date.day, months[date.month], date.year);
}

const char *say_enum(const struct saying *say, const ProtobufCEnumDescriptor *type, int value)
{
	char *text = av_arena_strdup(say->arena, value ? av_enum_name(type, value) : "");

	for (char *c = text; c && *c; c++)
		if (*c == '_')
			*c = ' ';
	return text ? text : "";
}

const char *say_degree(const struct saying *say, Avvik__V1__Degree value)
{
	switch (value) {
	case AVVIK__V1__DEGREE__DEGREE_NONE:
		return "no misconduct";
	case AVVIK__V1__DEGREE__DEGREE_RISK:
		return "a tangible risk of misconduct";
	case AVVIK__V1__DEGREE__DEGREE_MISCONDUCT:
		return "a misconduct";
	case AVVIK__V1__DEGREE__DEGREE_SERIOUS_RISK:
		return "a tangible risk of serious misconduct";
	case AVVIK__V1__DEGREE__DEGREE_SERIOUS:
		return "a serious misconduct";
	default:
		return say_enum(say, &avvik__v1__degree__descriptor, (int)value);
	}
}

/* "by sas.lindaker", "" when nobody is named. */
const char *say_by(const struct saying *say)
{
	const Avvik__V1__Actor *actor = say->event->actor;
	return actor && *actor->person ? SAY(" (by %s)", actor->person) : "";
}

const char *say_deadline(const struct saying *say, const char *rule)
{
	return names_deadline(&say->words->names, NULL, rule, false);
}

const char *say_joined(const struct saying *say, char *const *items, size_t count)
{
	const char *text = "";
	for (size_t i = 0; i < count; i++)
		text = SAY("%s%s%s", text, i ? ", " : "", items[i]);
	return text;
}
