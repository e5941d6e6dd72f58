/* case_table.c - the state tables of a case: a row for each outcome of an act, a column for each state
 *
 * A cell is the state that the act leads to; zero means refused, and nothing else changes the state of a
 * case.
 */
#include "case_rules.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/status.h"

/* clang-format off */
#define S(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define A(name) CASE_ACT_##name
enum { __ = 0, IN = S(INCOMPLETE), RE = S(RECEIVED), UT = S(INVESTIGATION), BE = S(ASSESSMENT), DE = S(DECIDED),
       ME = S(MEASURES), FU = S(FOLLOW_UP), CL = S(CLOSED), AS = S(ASSESSED), PO = S(POSITION),
       RV = S(REVIEW), KO = S(COMPLETION), RG = S(REGISTERED), PN = S(PROVIDER_NOTIFIED), JO = S(JOINED) };

/* Lex Sarah, SOSFS 2011:5 and 27 kap. SoL (2025:400). What IVO asks and decides often comes after the case was closed.
 * RETURN leads to a state of the other table. */
static const unsigned char lex_sarah[CASE_ACT_COUNT][CASE_STATE_COUNT] = {
	/* from                    --  IN  RE  UT  BE  DE  ME  FU  CL  AS  PO */
	[A(PLACE)]              = { __, IN, RE, __, __, __, __, __, __, __, __ },
	[A(PLACE_LAST)]         = { __, RE, __, __, __, __, __, __, __, __, __ },
	[A(NAME_REPORTER)]      = { __, IN, RE, __, __, __, __, __, __, __, __ },
	[A(NAME_REPORTER_LAST)] = { __, RE, __, __, __, __, __, __, __, __, __ },
	[A(REMEDY)]             = { __, __, RE, UT, BE, DE, ME, FU, __, __, PO },
	[A(INFORM)]             = { __, __, RE, UT, BE, DE, ME, FU, CL, __, PO },
	[A(INFORM_RELATIVES)]   = { __, __, RE, UT, BE, DE, ME, FU, CL, __, PO },
	[A(FILE_ENTRY)]         = { __, __, RE, UT, BE, DE, ME, FU, CL, __, PO },
	[A(POLICE)]             = { __, __, RE, UT, BE, DE, ME, FU, CL, __, PO },
	[A(REGISTRY)]           = { __, IN, RE, UT, BE, DE, ME, FU, CL, __, PO, [JO] = JO },
	[A(INVESTIGATE)]        = { __, __, UT, __, __, __, __, __, __, __, __ },
	[A(TAKE_POSITION)]      = { __, __, PO, __, __, __, __, __, __, __, __ },
	[A(FIND_SERIOUS)]       = { __, IN, RE, UT, BE, DE, ME, FU, __, __, PO },
	[A(RECORD_ENTRY)]       = { __, __, __, UT, __, __, __, __, __, __, __ },
	[A(COMPLETE)]           = { __, __, __, BE, __, __, __, __, __, __, __ },
	[A(DECIDE)]             = { __, __, __, __, DE, __, __, __, __, __, __ },
	[A(NOTIFY_IVO)]         = { __, IN, RE, UT, BE, DE, ME, FU, __, __, PO },
	[A(HAND_IN)]            = { __, __, __, __, BE, DE, ME, FU, __, __, __ },
	[A(PROPOSE)]            = { __, __, __, UT, BE, DE, ME, FU, __, __, __ },
	[A(APPROVE)]            = { __, __, __, __, __, ME, ME, ME, __, __, __ },
	[A(REJECT)]             = { __, __, __, __, __, DE, ME, FU, __, __, __ },
	[A(DECIDE_MEASURE)]     = { __, __, __, __, __, ME, ME, ME, __, __, __ },
	[A(NO_MEASURES)]        = { __, __, __, __, __, FU, FU, __, __, __, __ },
	[A(EXECUTE)]            = { __, __, __, __, __, __, ME, __, __, __, __ },
	[A(EXECUTE_LAST)]       = { __, __, __, __, __, __, FU, __, __, __, __ },
	[A(EVALUATE_PART)]      = { __, __, __, __, __, __, ME, FU, CL, __, __ },
	[A(EVALUATE)]           = { __, __, __, __, __, __, ME, FU, CL, __, __ },
	[A(EVALUATE_WANTING)]   = { __, __, __, __, __, __, ME, ME, CL, __, __ },
	[A(CLOSE)]              = { __, __, __, __, __, __, __, CL, __, __, CL },
	[A(STOP_DEADLINE)]      = { __, IN, RE, UT, BE, DE, ME, FU, __, __, PO },
	[A(RESUME_DEADLINE)]    = { __, IN, RE, UT, BE, DE, ME, FU, __, __, PO },
	[A(EXTEND_DEADLINE)]    = { __, IN, RE, UT, BE, DE, ME, FU, __, __, PO },
	[A(LIFT_DUTY)]          = { __, IN, RE, UT, BE, DE, ME, FU, __, __, PO },
	[A(IVO_REQUEST)]        = { __, IN, RE, UT, BE, DE, ME, FU, CL, __, PO },
	[A(IVO_ANSWER)]         = { __, IN, RE, UT, BE, DE, ME, FU, CL, __, PO },
	[A(IVO_DECISION)]       = { __, IN, RE, UT, BE, DE, ME, FU, CL, __, PO },
	[A(RECONSIDER)]         = { __, __, __, __, __, __, __, __, __, __, UT },
	[A(RETURN)]             = { __, __, UT, __, __, __, __, __, __, __, __ },
	[A(REOPEN)]             = { __, __, __, __, __, __, __, __, UT, __, __ },
	[A(JOIN)]               = { __, JO, JO, JO, __, __, __, __, __, __, __ },
	[A(PART_INCOMPLETE)]    = { [JO] = IN },
	[A(PART_RECEIVED)]      = { [JO] = RE },
	[A(PART_INVESTIGATION)] = { [JO] = UT },
	[A(DISMISS)]            = { __, IN, RE, UT, BE, DE, ME, FU, __, __, PO },
	[A(CORRECT)]            = { __, IN, RE, UT, BE, DE, ME, FU, CL, __, PO, [JO] = JO },
};

/* A deviation (avvikelse) handled by the unit. TURN and ASSESS_RISK_TURNS lead to RECEIVED of the other table. What
 * was ASSESSED in one act, as it once was, can be closed or turned. */
static const unsigned char deviation[CASE_ACT_COUNT][CASE_STATE_COUNT] = {
	/* from                    --  IN  RE  UT  BE  DE  ME  FU  CL  AS  PO  RV  KO */
	[A(PLACE)]              = { __, __, RE, __, __, __, __, __, __, __, __, RE, __ },
	[A(PLACE_LAST)]         = { __, RE, __, __, __, __, __, __, __, __, __, __, __ },
	[A(NAME_REPORTER)]      = { __, __, RE, UT, BE, __, __, FU, __, AS, __, RV, KO },
	[A(REMEDY)]             = { __, __, RE, UT, BE, __, __, FU, __, AS, __, RV, KO },
	[A(TAKE)]               = { __, __, RV, __, __, __, __, __, __, __, __, RV, __ },
	[A(REQUEST)]            = { __, __, __, __, __, __, __, __, __, __, __, KO, __ },
	[A(ANSWER)]             = { __, __, __, __, __, __, __, __, __, __, __, __, RV },
	[A(BEGIN_INQUIRY)]      = { __, __, __, UT, __, __, __, __, __, __, __, UT, __ },
	[A(ASSESS_RISK)]        = { __, __, __, UT, __, __, __, __, __, __, __, __, __ },
	[A(ASSESS_RISK_TURNS)]  = { __, __, __, RE, __, __, __, __, __, __, __, __, __ },
	[A(COMPLETE_INQUIRY)]   = { __, __, __, BE, __, __, __, __, __, __, __, __, __ },
	[A(PROPOSE)]            = { __, __, __, UT, BE, __, __, FU, __, __, __, __, __ },
	[A(APPROVE)]            = { __, __, __, __, FU, __, __, FU, __, __, __, __, __ },
	[A(REJECT)]             = { __, __, __, __, BE, __, __, FU, __, __, __, __, __ },
	[A(DECIDE_MEASURE)]     = { __, __, __, __, FU, __, __, FU, __, __, __, __, __ },
	[A(NO_MEASURES)]        = { __, __, __, __, FU, __, __, FU, __, __, __, __, __ },
	[A(EXECUTE)]            = { __, __, __, __, __, __, __, FU, __, __, __, __, __ },
	[A(EXECUTE_LAST)]       = { __, __, __, __, __, __, __, FU, __, __, __, __, __ },
	[A(EVALUATE_PART)]      = { __, __, __, __, __, __, __, FU, CL, __, __, __, __ },
	[A(EVALUATE)]           = { __, __, __, __, __, __, __, FU, CL, __, __, __, __ },
	[A(EVALUATE_WANTING)]   = { __, __, __, __, __, __, __, FU, CL, __, __, __, __ },
	[A(CLOSE)]              = { __, __, __, __, __, __, __, CL, __, CL, __, __, __ },
	[A(CLOSE_EARLY)]        = { __, __, CL, CL, CL, __, __, __, __, __, __, CL, CL },
	[A(TURN)]               = { __, __, RE, RE, RE, __, __, __, __, RE, __, RE, RE },
	[A(STOP_DEADLINE)]       = { __, IN, RE, UT, BE, __, __, FU, __, AS, __, RV, KO },
	[A(RESUME_DEADLINE)]     = { __, IN, RE, UT, BE, __, __, FU, __, AS, __, RV, KO },
	[A(EXTEND_DEADLINE)]     = { __, IN, RE, UT, BE, __, __, FU, __, AS, __, RV, KO },
	[A(JOIN)]               = { __, JO, JO, JO, __, __, __, __, __, __, __, JO, JO },
	[A(PART_INCOMPLETE)]    = { [JO] = IN },
	[A(PART_RECEIVED)]      = { [JO] = RE },
	[A(PART_INVESTIGATION)] = { [JO] = UT },
	[A(PART_REVIEW)]        = { [JO] = RV },
	[A(PART_COMPLETION)]    = { [JO] = KO },
	[A(DISMISS)]            = { __, IN, RE, UT, BE, __, __, FU, __, AS, __, RV, KO },
	[A(CORRECT)]            = { __, IN, RE, UT, BE, __, __, FU, CL, AS, __, RV, KO, [JO] = JO },
};

/* A report of a private provider: the committee is told, registers it and tells the orderer (24 d and 24 f §§ LSS). */
static const unsigned char information[CASE_ACT_COUNT][CASE_STATE_COUNT] = {
	/* from                    received       registered     notified       closed */
	[A(PLACE)]              = { [RE] = RE,     [RG] = RG,     [PN] = PN },
	[A(REGISTRY)]           = {                [RG] = RG,     [PN] = PN,     [CL] = CL },
	[A(REGISTER)]           = { [RE] = RG },
	[A(REGISTER_NOTIFIED)]  = { [RE] = PN },
	[A(PROVIDER_NOTIFIED)]  = { [RE] = RE,     [RG] = PN,                    [CL] = CL },
	[A(CLOSE)]              = {                [RG] = CL,     [PN] = CL },
	[A(JOIN)]               = { [RE] = JO },
	[A(PART_RECEIVED)]      = { [JO] = RE },
	[A(DISMISS)]            = { [RE] = RE,     [RG] = RG,     [PN] = PN },
	[A(CORRECT)]            = { [RE] = RE,     [RG] = RG,     [PN] = PN,     [CL] = CL, [JO] = JO },
};
/* clang-format on */

static const struct {
	const char *name, *column, *meaning;
} acts[CASE_ACT_COUNT] = {
#define X(name, act, meaning) [CASE_ACT_##name] = {act, #name, meaning},
	CASE_ACT_LIST(X)
#undef X
};

static const struct {
	int status;
	const char *name, *text;
} guards[CASE_GUARD_COUNT] = {[CASE_ALLOWED] = {AV_OK, "allowed", "allowed"},
#define X(name, status, word, text) [CASE_GUARD_##name] = {AV_##status, word, text},
	CASE_GUARD_LIST(X)
#undef X
};

static const char *const states[CASE_STATE_COUNT] = {
	[S(UNSPECIFIED)] = "none",
	[S(INCOMPLETE)] = "incomplete",
	[S(RECEIVED)] = "received",
	[S(INVESTIGATION)] = "investigation",
	[S(ASSESSMENT)] = "assessment",
	[S(DECIDED)] = "decided",
	[S(MEASURES)] = "measures",
	[S(FOLLOW_UP)] = "follow_up",
	[S(CLOSED)] = "closed",
	[S(ASSESSED)] = "assessed",
	[S(POSITION)] = "position",
	[S(REVIEW)] = "review",
	[S(COMPLETION)] = "completion",
	[S(REGISTERED)] = "registered",
	[S(PROVIDER_NOTIFIED)] = "provider_notified",
	[S(JOINED)] = "joined",
};

Avvik__V1__CaseState case_next(Avvik__V1__CaseKind kind, Avvik__V1__CaseState state, enum case_act act)
{
	if ((unsigned)state >= CASE_STATE_COUNT || (unsigned)act >= CASE_ACT_COUNT)
		return S(UNSPECIFIED);
	switch (kind) {
	case AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH:
		return (Avvik__V1__CaseState)lex_sarah[act][state];
	case AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION:
		return (Avvik__V1__CaseState)deviation[act][state];
	case AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION:
		return (Avvik__V1__CaseState)information[act][state];
	default:
		return S(UNSPECIFIED);
	}
}

bool case_has_state(Avvik__V1__CaseKind kind, Avvik__V1__CaseState state)
{
	for (int act = 0; act < CASE_ACT_COUNT; act++)
		if (case_next(kind, state, (enum case_act)act))
			return true;
	return state == S(CLOSED);
}

const char *case_act_name(enum case_act act)
{
	return (unsigned)act < CASE_ACT_COUNT ? acts[act].name : "";
}

const char *case_act_column(enum case_act act)
{
	return (unsigned)act < CASE_ACT_COUNT ? acts[act].column : "";
}

const char *case_act_meaning(enum case_act act)
{
	return (unsigned)act < CASE_ACT_COUNT ? acts[act].meaning : "";
}

const char *case_guard_name(enum case_guard guard)
{
	return (unsigned)guard < CASE_GUARD_COUNT ? guards[guard].name : "";
}

const char *case_guard_text(enum case_guard guard)
{
	return (unsigned)guard < CASE_GUARD_COUNT ? guards[guard].text : "";
}

int case_guard_status(enum case_guard guard)
{
	return (unsigned)guard < CASE_GUARD_COUNT ? guards[guard].status : AV_INTERNAL;
}

const char *case_state_name(Avvik__V1__CaseState state)
{
	return (unsigned)state < CASE_STATE_COUNT && states[state] ? states[state] : "";
}

void case_states_of(Avvik__V1__CaseKind kind, enum case_act act, char *ret_text, size_t size)
{
	const char *found[CASE_STATE_COUNT];
	size_t count = 0, at = 0;

	for (int state = 1; state < CASE_STATE_COUNT; state++) {
		bool possible = false;
		for (int other = 0; other < CASE_ACT_COUNT; other++)
			possible |= strcmp(case_act_name((enum case_act)other), case_act_name(act)) == 0 &&
				    case_next(kind, (Avvik__V1__CaseState)state, (enum case_act)other);
		if (possible)
			found[count++] = states[state];
	}
	ret_text[0] = '\0';
	for (size_t i = 0; i < count && at < size; i++)
		at += (size_t)snprintf(ret_text + at, size - at, "%s%s",
			i == 0		 ? ""
			: i + 1 == count ? " or "
					 : ", ",
			found[i]);
}
