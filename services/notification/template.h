/* template.h - mail templates: text with {{placeholders}}, filled in without logic. Pure.
 *
 * A template is UTF-8: the first line "Subject: …", an empty line, the body. A line that holds nothing but
 * placeholders which are all empty is left out, and so are empty lines after the first; so a note that does
 * not apply leaves no gap.
 */
#ifndef NOTIFICATION_TEMPLATE_H
#define NOTIFICATION_TEMPLATE_H

#include "base/arena.h"
#include "base/bytes.h"

#define TEMPLATE_BYTES_MAX 16384
#define TEMPLATE_FAULTS_MAX 20
#define TEMPLATE_ENDING ".sv.txt"

/* What may stand in a mail: none of it says what happened or to whom. */
#define TEMPLATE_FIELD_LIST(X) /* clang-format off */ \
	X(NUMBER,        number,        "the case's number") \
	X(KIND,          kind,          "kind of matter, in Swedish") \
	X(UNIT_NAME,     unit_name,     "the unit of the case") \
	X(COMMITTEE,     committee,     "the committee, as it is called") \
	X(DUE,           due,           "the last day, with its weekday") \
	X(DEADLINE_NAME, deadline_name, "what is to be done in time") \
	X(EXPECTED,      expected,      "what is expected of the one who reads it") \
	X(LAW,           law,           "the law the case is handled under") \
	X(NOTIFY_LAW,    notify_law,    "the law by which IVO is notified") \
	X(SOURCE,        source,        "where the deadline is laid down") \
	X(PERSON_NAME,   person_name,   "who is written to") \
	X(ROLE_NAME,     role_name,     "the role for which the person is told") \
	X(DEPUTY_NOTE,   deputy_note,   "a sentence, when it is told to a deputy") \
	X(LATE_NOTE,     late_note,     "a sentence, when it is told later than planned") \
	X(LIST,          list,          "the lines of a digest") /* clang-format on */

enum template_field {
#define X(name, text, what) FIELD_##name,
	TEMPLATE_FIELD_LIST(X)
#undef X
		FIELD_COUNT
};

struct template
{
	const char *name; /* "deadline-warning" */
	const char *subject, *body;
};

struct template_fault {
	unsigned int line;
	const char *text; /* what is wrong and the remedy; in the arena */
};
struct template_faults {
	struct template_fault list[TEMPLATE_FAULTS_MAX];
	size_t count; /* all, also those not listed */
};

/* Into the arena. AV_INVALID with faults, each with its line: unknown or unclosed placeholder, no subject,
 * not UTF-8, too large. AV_MEMORY. */
int template_parse(const char *name, struct av_bytes text, struct av_arena *arena,
	struct template_faults *faults, struct template *ret_template);

/* values[FIELD_COUNT]; NULL is an empty one. AV_MEMORY. */
int template_fill(const struct template *template, const char *const values[FIELD_COUNT],
	struct av_arena *arena, const char **ret_subject, const char **ret_body);

const char *template_field_name(enum template_field field);
const char *template_field_what(enum template_field field);

#endif
