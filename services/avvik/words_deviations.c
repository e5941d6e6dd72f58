/* words_deviations.c - what happens to a deviation, as sentences. */
#define HASH_NONFATAL_OOM 1
#include "words_parts.h"

#include "base/macros.h"

static const char *law_of(struct saying *say, Avvik__V1__Law law)
{
	return say_enum(say, &avvik__v1__law__descriptor, (int)law);
}

static const char *say_taken(struct saying *say)
{
	return SAY("%s is reviewed by %s%s", say_subject(say), say->event->case_taken_for_review->handler,
		say_by(say));
}

static const char *say_requested(struct saying *say)
{
	return SAY("%s: the reporter is asked to complete the report%s", say_subject(say), say_by(say));
}

static const char *say_answered(struct saying *say)
{
	return SAY("%s: the reporter's answer is in%s", say_subject(say),
		say->event->completion_answered->by_report ? ", from the reporter's system" : say_by(say));
}

static const char *say_begun(struct saying *say)
{
	const Avvik__V1__InquiryBegun *body = say->event->inquiry_begun;
	return SAY("%s: an inquiry begins, under %s%s%s%s", say_subject(say),
		body->n_laws ? law_of(say, body->laws[0]) : "no law", body->n_laws > 1 ? " and " : "",
		body->n_laws > 1 ? law_of(say, body->laws[1]) : "", say_by(say));
}

static const char *say_risk(struct saying *say)
{
	const Avvik__V1__RiskAssessed *body = say->event->risk_assessed;
	return SAY("%s: the risk under %s is assessed: probability %u, severity %u, product %u%s",
		say_subject(say), law_of(say, body->law), body->probability, body->severity,
		body->probability * body->severity, say_by(say));
}

static const char *say_high(struct saying *say)
{
	return SAY("%s: the risk under %s is high", say_subject(say),
		law_of(say, say->event->high_risk_found->law));
}

static const char *say_concluded(struct saying *say)
{
	return SAY("%s: the inquiry is finished and locked%s", say_subject(say), say_by(say));
}

static const char *say_assessed(struct saying *say)
{
	const Avvik__V1__DeviationAssessed *body = say->event->deviation_assessed;
	return SAY("%s is assessed: probability %u, severity %u%s%s", say_subject(say), body->probability,
		body->severity, body->suspect_lex_sarah ? "; a lex Sarah report should be considered" : "",
		say_by(say));
}

static const char *say_turned(struct saying *say)
{
	struct known_case *known = known_case_of(say->words, say->event->case_id);
	const char *before = say_subject(say);

	if (known)
		known->kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	return SAY("%s is turned into a lex Sarah case%s%s", before,
		say->event->case_turned_lex_sarah->cause == AVVIK__V1__TURN_CAUSE__TURN_CAUSE_THRESHOLD
			? ", since its risk is so high"
			: "",
		say_by(say));
}

/* clang-format off */
const struct saying_row deviation_sayings[] = {
	{E(CASE_TAKEN_FOR_REVIEW),   say_taken},
	{E(COMPLETION_REQUESTED),    say_requested},
	{E(COMPLETION_ANSWERED),     say_answered},
	{E(INQUIRY_BEGUN),           say_begun},
	{E(RISK_ASSESSED),           say_risk},
	{E(HIGH_RISK_FOUND),         say_high},
	{E(INQUIRY_COMPLETED),       say_concluded},
	{E(DEVIATION_ASSESSED),      say_assessed},
	{E(CASE_TURNED_LEX_SARAH),   say_turned},
};
/* clang-format on */
const size_t deviation_saying_count = AV_COUNT(deviation_sayings);
