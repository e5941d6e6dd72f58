# investigations.sh - what the four investigations of the story document; sourced by quickstart.sh.
#
# Each line is an entry: item of SOSFS 2011:5 5 kap. | fact or assessment | source | the time it speaks of | other words | text.
# Item 9, the decision, is an act of its own. All of it is made up.

investigate() {
  person=$1 number=$2
  while IFS='|' read -r item nature source happened words text; do
    # shellcheck disable=SC2086 # words
    act "$person" "$number" entry --item "$item" --nature "$nature" --source "$source" --text "$text" \
      ${happened:+--happened "$happened"} $words </dev/null
  done
}

investigate_theft() {
  investigate "$1" "$theft" <<'END'
1|fact|rapporten; samtal med brukaren|||3 400 kronor i kontanter och en guldring försvann ur brukarens hem i samband med två besök av inhyrd personal. Brukaren har förlorat pengar och ett minne av sin man, är ledsen och har tackat nej till tre besök.
2|fact|samtal med anhörig|2026-04-08 08:00||Den 8 april klockan 8.00 ringde en anhörig till enheten. Hon hade jämfört kassaboken med plånboken och sett att pengarna saknades, och därefter letat efter ringen.
3|fact|kassaboken; besöksloggen|2026-04-02 10:00||Kassan stämde den 1 april. Enligt besöksloggen gjorde inhyrd personal besök den 2 april klockan 10.00 och 16.30. Ingen annan var i hemmet innan förlusten upptäcktes.
4|assessment|samtal med två medarbetare och bemanningsföretaget||--cause PRO|Rutinen för privata medel säger att två personer räknar kassan vid byte av personal. Inhyrd personal får inte del av rutinen, och ingen räknade kassan före eller efter besöken.
5|fact|tidigare ärenden i enheten||--recurrent|Två differenser i brukares kassor rapporterades under 2025. Rutinen skrevs då om, men bara den fasta personalen fick del av den.
6|assessment|utredaren||--risk 3|Det kan hända igen så länge inhyrd personal hanterar kontanter utan att kassan räknas av två personer.
7|fact|enhetschefen|2026-04-08 09:00||Den 8 april klockan 9.00 polisanmälde den anhöriga händelsen. Samma förmiddag avbokade enheten den inhyrda personalen hos brukaren.
8|fact|samtal med brukaren i hemmet den 21 april|||Brukaren säger att hon inte vill peka ut någon. Hon vill veta vem som kommer, och att någon hon känner är med första gången.
10|assessment|utredaren|||Kontanter bör förvaras i kassaskåp och räknas av två personer. Inhyrd personal bör få del av rutinen före sitt första besök.
END
}

investigate_escort() {
  investigate "$1" "$escort" <<'END'
1|fact|rapporten; genomförandeplanen|||Beviljad ledsagning till fritidsaktiviteter utfördes inte vid åtta tillfällen sedan mars, och den enskilde fick inte besked. Han blev utan sina aktiviteter och har varit utåtagerande mot personal.
2|fact|samtal med stödassistenten|2026-04-22 09:30||Den 22 april klockan 9.30 frågade den enskilde en stödassistent varför ingen hade kommit. Hon gick igenom schemat och såg att ledsagningen inte fanns där.
3|fact|schemat; den sociala journalen|2026-04-20 16:00||Ledsagningen uteblev varje vecka från den 2 mars. Det senaste tillfället var den 20 april klockan 16.00.
4|assessment|samtal med enhetschefen och två vikarier||--cause OMG|Insatsen låg hos en medarbetare som slutade i februari och fördes aldrig in i schemat. Vikarierna kände inte till beslutet.
5|fact|tidigare ärenden i enheten||--recurrent|I november 2025 uteblev ledsagning två gånger för en annan boende av samma skäl. Schemat rättades då för honom, men inga andra beslut gicks igenom.
6|assessment|utredaren||--risk 3|Det kan hända igen när personal slutar eller är borta, eftersom beslutade insatser inte stäms av mot schemat.
7|fact|enhetschefen|2026-04-22 10:30||Den 22 april klockan 10.30 lades ledsagningen in i schemat, och den utfördes samma kväll.
8|fact|samtal med den enskilde den 6 maj, med stöd av god man|||Den enskilde säger att han slutade fråga, eftersom ingen kunde svara. Han vill ha sitt schema på väggen.
10|assessment|utredaren|||Varje beslutad insats bör stå i schemat och stämmas av varje vecka. Det behövs också en ersättare när ordinarie personal är borta.
END
}

investigate_night() {
  investigate "$1" "$night" <<'END'
1|fact|rapporten; sjukhusets epikris|||Den boende föll i sitt rum och låg på golvet till morgonen. Rörelselarmet var avstängt, dörren låst utifrån och ingen tillsyn gjordes. Hon hade brutit höften, var nedkyld och opererades samma dag. Hon är rädd för att vara ensam.
2|fact|samtal med två undersköterskor|2026-04-15 06:10||Den 15 april klockan 6.10 låste morgonpersonalen upp dörren och fann den boende på golvet. De larmade ambulans och enhetschefen.
3|fact|larmloggen; den boendes egen uppgift|2026-04-14 23:30||Fallet inträffade den 14 april omkring klockan 23.30. Senaste tillsyn är antecknad klockan 22.50, och larmloggen visar att rörelselarmet stängdes av klockan 22.55.
4|assessment|samtal med nattpersonalen och enhetschefen||--cause OMG|En person ansvarade ensam för två plan, eftersom en sjuk medarbetare inte hade ersatts. Larmet stängdes av och dörren låstes för att få lugn på planet. Ingen hade beslutat om det, och enhetschefen kände inte till det.
5|fact|tidigare ärenden; avvikelser 2025||--recurrent|En låst dörr rapporterades i oktober 2025 på plan 1. Personalen där påmindes, men låsen satt kvar och plan 2 fick inte del av det.
6|assessment|utredaren||--risk 3|Det kan hända igen så länge en person kan bli ensam på natten och dörrarna går att låsa utifrån.
7|fact|enhetschefen|2026-04-15 07:10||Den 15 april klockan 7.10 slogs rörelselarmen på i alla rum, och alla dörrar kontrollerades. Från samma kväll var två personer i tjänst på natten.
8|fact|samtal med den boende den 4 maj, anhörig var med|||Den boende säger att hon ropade länge och hörde steg, men att ingen kom. Hon vill ha dörren på glänt och en lampa tänd.
10|assessment|utredaren|||Nattbemanningen bör vara två personer, och låsen på dörrarnas utsida bör tas bort. Att stänga av ett larm bör kräva beslut av legitimerad personal.
END
}

investigate_alarm() {
  investigate "$1" "$alarm" <<'END'
1|fact|rapporten; samtal med brukaren|||Trygghetslarmet var ur funktion i fyra dygn. Under den tiden föll brukaren och låg en natt på golvet utan att kunna kalla på hjälp. Hon fick tryckskador på höften och armbågen.
2|fact|samtal med vårdbiträdet|2026-04-23 08:00||Den 23 april klockan 8.00 provade ett vårdbiträde larmet, sedan brukaren berättat att ingen svarat. Larmet gav ingen signal.
3|fact|leverantörens driftlogg; brukarens egen uppgift|2026-04-21 18:00||Larmet tappade förbindelsen den 19 april. Brukaren föll den 21 april omkring klockan 18.00 och hjälptes upp vid morgonbesöket den 22 april.
4|assessment|samtal med enhetschefen och leverantören||--cause PRO|Felmeddelanden skickas till en brevlåda som ingen har i uppdrag att läsa. Rutinen säger inte vem som ska se till att larmen fungerar.
5|fact|tidigare ärenden i enheten||--recurrent|Ett larm var ur funktion i två dygn i januari. Larmet byttes, men felmeddelandena gick till samma brevlåda också efteråt.
6|assessment|utredaren||--risk 3|Det kan hända igen så länge ingen läser felmeddelandena varje dag.
7|fact|enhetschefen|2026-04-23 09:00||Den 23 april klockan 9.00 installerades ett nytt larm, och under dagen provades alla larm i området.
8|fact|samtal med brukaren i hemmet den 12 maj|||Brukaren säger att hon tryckte på larmet många gånger och trodde att personalen inte ville komma. Hon provar nu larmet varje kväll.
10|assessment|utredaren|||Alla larm bör kontrolleras varje dag av en utsedd medarbetare, och felmeddelanden bör gå till den som är i tjänst.
END
}
