/* acts_deviation.c - what an act on a deviation says
 */
#include "people_inner.h"

WRITER(act_take)
{
	if (found->state == AVVIK__V1__CASE_STATE__CASE_STATE_REVIEW && chance(w, 6))
		return NULL; /* somebody has it */
	Avvik__V1__TakeForReview *act = NEW(w, TakeForReview, take_for_review);
	if (chance(w, 2))
		act->handler = TEXT(people_with(w, "EC", found->unit));
	return &act->base;
}

WRITER(act_request_completion)
{
	Avvik__V1__RequestCompletion *act = NEW(w, RequestCompletion, request_completion);
	AV_UNUSED(found);
	act->question = TEXT(secret(w));
	return &act->base;
}

WRITER(act_answer_completion)
{
	Avvik__V1__AnswerCompletion *act = NEW(w, AnswerCompletion, answer_completion);
	AV_UNUSED(found);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(act_begin_inquiry)
{
	static Avvik__V1__Law laws[][2] = {{AVVIK__V1__LAW__LAW_SOL, AVVIK__V1__LAW__LAW_HSL},
		{AVVIK__V1__LAW__LAW_HSL, AVVIK__V1__LAW__LAW_LSS}};
	Avvik__V1__BeginInquiry *act = NEW(w, BeginInquiry, begin_inquiry);
	AV_UNUSED(found);
	act->laws = laws[chance(w, 2)];
	act->n_laws = 1 + chance(w, 2);
	act->category = TEXT("FALL");
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(act_assess_risk)
{
	Avvik__V1__AssessRisk *act = NEW(w, AssessRisk, assess_risk);
	act->law = found->n_parts ? found->parts[chance(w, found->n_parts)]->law : AVVIK__V1__LAW__LAW_SOL;
	for (size_t i = 0; i < found->n_parts; i++)
		if (!found->parts[i]->probability)
			act->law = found->parts[i]->law;
	act->probability = (uint32_t)(1 + chance(w, 4));
	act->severity = (uint32_t)(1 + chance(w, 4));
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(act_complete_inquiry)
{
	static char *causes[] = {(char *)"KOM"};
	Avvik__V1__CompleteInquiry *act = NEW(w, CompleteInquiry, complete_inquiry);
	AV_UNUSED(found);
	act->text = TEXT(secret(w));
	act->cause_areas = causes;
	act->n_cause_areas = 1;
	return &act->base;
}

WRITER(act_close_early)
{
	if (chance(w, 2))
		return NULL;
	Avvik__V1__CloseEarly *act = NEW(w, CloseEarly, close_early);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_turn)
{
	if (chance(w, 2))
		return NULL;
	Avvik__V1__TurnIntoLexSarah *act = NEW(w, TurnIntoLexSarah, turn_into_lex_sarah);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}
