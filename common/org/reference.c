/* reference.c - the paragraph of law that a rule pack names. */
#include "org/reference.h"

#include <string.h>

static const char *reference_for(const Avvik__V1__RulePack *rules, const char *id, Avvik__V1__Law law)
{
	for (size_t i = 0; i < rules->n_references; i++)
		if (rules->references[i]->law == law && strcmp(rules->references[i]->id, id) == 0)
			return rules->references[i]->text;
	return NULL;
}

const char *av_reference(
	const Avvik__V1__RulePack *rules, const char *id, const Avvik__V1__Law *laws, size_t count)
{
	const char *text = NULL;

	for (size_t i = 0; !text && i < count; i++)
		text = reference_for(rules, id, laws[i]);
	if (!text)
		text = reference_for(rules, id, AVVIK__V1__LAW__LAW_SOL);
	return text ? text : "";
}
