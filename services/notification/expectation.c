/* expectation.c - what a mail says that is to be done, of a deadline. */
#include "expectation.h"

#include "base/macros.h"

#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define AT_IVO "Inspektionen för vård och omsorg"

/* clang-format off */
static const struct {
	Avvik__V1__Anchor anchor;
	const char *words;
} expectations[] = {
	{ANCHOR(REMEDIED),
		"Avhjälp eller undanröj det som har rapporterats och dokumentera åtgärden, eller dokumentera varför ingen åtgärd behövs."},
	{ANCHOR(ASSESSED_INITIALLY),      "Gör den inledande bedömningen och dokumentera om ärendet ska utredas."},
	{ANCHOR(SERIOUS),                 "Ta ställning till om det är allvarligt och dokumentera bedömningen."},
	{ANCHOR(NOTIFIED),                "Anmäl till " AT_IVO " och dokumentera anmälan."},
	{ANCHOR(NOTIFIED_INCOMPLETE),     "Anmäl till " AT_IVO " och dokumentera anmälan."},
	{ANCHOR(INVESTIGATION_HANDED_IN), "Lämna in utredningen till " AT_IVO " och dokumentera att det är gjort."},
	{ANCHOR(IVO_DUTY_LIFTED),         "Ta ställning till om anmälan till " AT_IVO " behövs och dokumentera bedömningen."},
	{ANCHOR(IVO_ANSWERED),            "Svara på begäran från " AT_IVO " och dokumentera svaret."},
	{ANCHOR(IVO_DECIDED),             "Dokumentera beslutet från " AT_IVO " när det har kommit."},
	{ANCHOR(MEASURE_EXECUTED),        "Genomför åtgärden och dokumentera att den är genomförd."},
	{ANCHOR(MEASURE_EVALUATED),       "Följ upp om åtgärden har fått avsedd effekt och dokumentera bedömningen."},
	{ANCHOR(MEASURE_REJECTED),        "Ta ställning till den föreslagna åtgärden och dokumentera beslutet."},
	{ANCHOR(DECIDED),                 "Fatta beslut och dokumentera det."},
	{ANCHOR(CLOSED),                  "Avsluta ärendet när allt är klart."},
	{ANCHOR(RECONSIDERED),            "Ompröva ställningstagandet och dokumentera bedömningen."},
	{ANCHOR(AFFECTED_INFORMED),       "Informera den som berörs och dokumentera det, eller dokumentera varför det inte kan göras."},
	{ANCHOR(POLICE_REPORTED),         "Ta ställning till polisanmälan och dokumentera beslutet."},
	{ANCHOR(INFORMATION_REGISTERED),
		"Diarieför utförarens rapport, ange diarienumret i ärendet och underrätta beställaren."},
	{ANCHOR(COMMITTEE_TOLD),
		"Begär att utföraren underrättar nämnden om anmälan till " AT_IVO ", och dokumentera när det skedde."},
	{ANCHOR(REVIEW_BEGUN),            "Ta avvikelsen för granskning, eller gör om den till en rapport enligt lex Sarah."},
	{ANCHOR(COMPLETION_REQUESTED),    "Begär den komplettering som behövs av den som rapporterade."},
	{ANCHOR(COMPLETION_ANSWERED),     "Se till att kompletteringen kommer in och dokumentera den."},
	{ANCHOR(INQUIRY_BEGUN),           "Inled utredningen av avvikelsen och dokumentera det."},
	{ANCHOR(INQUIRY_COMPLETED),       "Slutför utredningen av avvikelsen och dokumentera resultatet."},
	{ANCHOR(ASSESSED),                "Bedöm avvikelsen och dokumentera bedömningen."},
	{ANCHOR(TURNED_LEX_SARAH),        "Ta ställning till om avvikelsen är en rapport enligt lex Sarah och gör i så fall om den till en sådan."},
};
/* clang-format on */

const char *expectation_words(Avvik__V1__Anchor anchor)
{
	for (size_t i = 0; i < AV_COUNT(expectations); i++)
		if (expectations[i].anchor == anchor)
			return expectations[i].words;
	return NULL;
}

const char *expectation(const Avvik__V1__DeadlineRule *rule, struct av_arena *arena)
{
	static const char general[] = "Gör det som ska vara gjort i tid";
	const char *words = NULL;

	for (size_t i = 0; rule && !words && i < rule->n_met_by; i++)
		words = expectation_words(rule->met_by[i]);
	if (words)
		return words;
	return rule && *rule->name ? av_arena_printf(arena, "%s: %s.", general, rule->name)
				   : av_arena_printf(arena, "%s.", general);
}
