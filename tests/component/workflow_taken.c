/* workflow_taken.c - see workflow_taken.h */
#include "workflow_taken.h"

#include <stdio.h>

#include "wire/yaml.h"

Avvik__V1__TakeoverCase *taken_case(struct world *w, const char *text)
{
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message = NULL;
	struct av_faults faults;

	av_faults_init(&faults, w->h->arena);
	assert_int_equal(av_yaml_open(av_bytes_of(text), "case", &faults, &yaml), AV_OK);
	if (av_yaml_to(yaml, &avvik__v1__takeover_case__descriptor, w->h->arena, &faults, &message) != AV_OK)
		fail_msg("%s: %s", faults.first->path, faults.first->text);
	av_yaml_close(&yaml);
	return (Avvik__V1__TakeoverCase *)message;
}

Avvik__V1__Reply *take_as(struct world *w, const struct av_principal *principal, const char *text)
{
	Avvik__V1__TakeOverCase order = AVVIK__V1__TAKE_OVER_CASE__INIT;
	char reference[40];

	order.system = TEXT("oldsys");
	order.reason = TEXT("the old system is closed");
	order.case_ = taken_case(w, text);
	snprintf(reference, sizeof(reference), "take-%u", ++w->references);
	return harness_order(w->h, principal, reference, NULL, COMMAND(TAKE_OVER_CASE), &order.base);
}

Avvik__V1__Reply *take(struct world *w, const char *text)
{
	struct av_principal mover = harness_principal("mover", "administrator", AV_MAY_TAKE_OVER);
	return take_as(w, &mover, text);
}

Avvik__V1__Reply *take_trial(struct world *w, const char *text)
{
	struct av_principal mover = harness_principal("mover", "administrator", AV_MAY_TAKE_OVER);
	Avvik__V1__CheckTakeover check = AVVIK__V1__CHECK_TAKEOVER__INIT;

	check.system = TEXT("oldsys");
	check.case_ = taken_case(w, text);
	return harness_order(w->h, &mover, NULL, NULL, COMMAND(CHECK_TAKEOVER), &check.base);
}

struct av_id taken(struct world *w, const char *text)
{
	Avvik__V1__Reply *reply = take(w, text);

	harness_want(reply, REPLY(DONE));
	assert_false(reply->takeover_result->before);
	return id_of(reply->takeover_result->case_id);
}
