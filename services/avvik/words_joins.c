/* words_joins.c - several reports of one event, and what was corrected, as sentences. */
#define HASH_NONFATAL_OOM 1
#include "words_parts.h"

#include "base/macros.h"

static const char *say_case_joined(struct saying *say)
{
	return SAY("%s is of the same event as %s, and is handled there%s", say_subject(say),
		say->event->case_joined->into_number, say_by(say));
}

static const char *say_other_joined(struct saying *say)
{
	return SAY("%s: the report of case %s is of the same event, and is handled here", say_subject(say),
		say->event->other_joined->other_number);
}

static const char *say_parted(struct saying *say)
{
	return SAY("%s is parted from %s, and goes on by itself%s", say_subject(say),
		say->event->case_parted->from_number, say_by(say));
}

static const char *say_other_parted(struct saying *say)
{
	return SAY("%s: the report of case %s was of another event, and is handled there again",
		say_subject(say), say->event->other_parted->other_number);
}

static const char *say_joined_closed(struct saying *say)
{
	return SAY("%s: case %s, in which its report was handled, is closed", say_subject(say),
		say->event->joined_case_closed->into_number);
}

static const char *say_dismissed(struct saying *say)
{
	return SAY("%s: case %s is of another event%s", say_subject(say),
		say->event->duplicate_dismissed->other_number, say_by(say));
}

static const char *say_corrected(struct saying *say)
{
	const Avvik__V1__ContentCorrected *body = say->event->content_corrected;
	return SAY("%s: something that was filed by mistake is corrected (%s)%s%s", say_subject(say),
		body->reason,
		body->erased ? "; what was wrong is erased"
			     : "; what was wrong is to be erased by its holder",
		say_by(say));
}

static const char *say_correction_completed(struct saying *say)
{
	return SAY("%s: what was wrong is erased by its holder", say_subject(say));
}

/* clang-format off */
const struct saying_row join_sayings[] = {
	{E(CASE_JOINED),             say_case_joined},
	{E(OTHER_JOINED),            say_other_joined},
	{E(CASE_PARTED),             say_parted},
	{E(OTHER_PARTED),            say_other_parted},
	{E(JOINED_CASE_CLOSED),      say_joined_closed},
	{E(DUPLICATE_DISMISSED),     say_dismissed},
	{E(CONTENT_CORRECTED),       say_corrected},
	{E(CORRECTION_COMPLETED),    say_correction_completed},
};
/* clang-format on */
const size_t join_saying_count = AV_COUNT(join_sayings);
