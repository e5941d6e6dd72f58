# story.sh - what people do from April to October 2026; sourced by quickstart.sh.
#
# Who they are stands in deploy/directory/lindaker.yaml. Whoever is not played does nothing: then warnings and escalations come.

# The managers go through the deviations of the week. All but one: at Lindhaga nobody does.
assess_deviations() {
  while read -r manager unit law; do
    for number in $(avvik case list --unit "$unit" --kind deviation --state received | awk '/^ *20[0-9][0-9]-/ { print $1 }'); do
      [ "$number" != "$turned" ] || continue
      act "$manager" "$number" review
      if [ "$law" = hsl ]; then
        act "$manager" "$number" close-early --motive "Ingen skada. Hanteras i vårdens egen rutin."
        continue
      fi
      act "$manager" "$number" inquire --laws "$law"
      act "$manager" "$number" risk --law "$law" --probability 2 --severity 1 --text "Genomgången på arbetsplatsträffen."
      act "$manager" "$number" conclude --text "Rutinen var inte känd för alla." --causes PRO
      act "$manager" "$number" no-measures --motive "Rutinen påmind på arbetsplatsträffen."
      act "$manager" "$number" close --note "Rutinen påmind."
    done
  done <<END
bengt.bjorkman bjorkgarden hsl
kurt.backlund kvarnbacken hsl
norea.hemgren hemtjanst-norr sol
soren.hemgren hemtjanst-soder sol
vaxa.hussen hemtjanst-vaxthuset sol
alma.korttidsson korttids-almen hsl
alma.korttidsson dagverksamhet-solrosen sol
eken.gruppell gruppbostad-ekbacken lss
eken.gruppell servicebostad-torget lss
vide.vagman gruppbostad-videvagen lss
vera.verkstedt daglig-verkstan lss
lyckan.assistell assistans-lyktan lss
talle.hvbsson hvb-tallen sol
hemma.sjukvardh hemsjukvard hsl
reha.biliten rehab hsl
END
}

heading "April: reports come in"

on "2026-04-08 09:37"
theft=$(case_of e-tjanst ET-003101)
follow "$theft"
follow 2026-0002
say "A lex Sarah report: money and a ring have disappeared in a home. It is case $theft, and the first that we follow. Another is" \
  "2026-0002, a missed dose at Lindhaga, where nobody looks at deviations."

on "2026-04-10 10:07"
act saga.samordnare "$theft" assess --degree misconduct --investigate --investigator ulla.utredstrom \
  --motive "Uppgifterna tyder på stöld av personal."
turned=""
assess_deviations

on "2026-04-13 09:07"
unplaced=$(case_of e-tjanst ET-009001)
follow "$unplaced"
say "Case $unplaced came with a unit that does not exist. It was kept all the same, and waits; the registry finds out which it is."
act rut.diariesson "$unplaced" place --unit hemtjanst-norr --motive "Enhetens kod var felskriven."

heading "A night at Björkgården"

on "2026-04-15 09:07"
night=$(case_of e-tjanst ET-003103)
follow "$night"
say "A resident lay on the floor all night behind a locked door. Case $night."

on "2026-04-16 09:07"
act beata.bjorkman "$night" inform --informed --text "Den boende och anhörig informerade vid samtal."
act saga.samordnare "$night" assess --degree serious --investigate --investigator urban.utredstrom \
  --motive "Den boende har skadats allvarligt."

on "2026-04-17 09:07"
turned=$(case_of larmsystem LARM-880302)
follow "$turned"
assess_deviations
act soren.hemgren "$turned" review
act soren.hemgren "$turned" inquire --laws sol
say "Alarms that were answered without a visit: the risk that the manager of home care south finds is so high that it is misconduct, not" \
  "a deviation."
act soren.hemgren "$turned" risk --law sol --probability 3 --severity 3 --text "Brukaren låg en timme utan hjälp: påtaglig risk."

on "2026-04-17 14:07"
act saga.samordnare "$night" serious --motive "Fallet, den låsta dörren och utebliven tillsyn är ett allvarligt missförhållande."

on "2026-04-19 16:07"
act saga.samordnare "$night" notify --registry "SN 2026/0417" --form 2025-07
say "IVO is told without a finished investigation, so two months begin to run. They end on 19 June, Midsummer Eve."

on "2026-04-20 10:07"
unnamed=$(case_of e-tjanst ET-009002)
act linda.hagstrom "$unnamed" name-reporter --name "Vikarie Lindprov" --role vårdbiträde --mail vikarie.lindprov@lindaker.example
act saga.samordnare "$turned" assess --degree risk --investigate --investigator ulla.utredstrom \
  --motive "Larmkedjan brister."

heading "End of April: one who acts in time and writes late, one who does not act"

on "2026-04-24 10:07"
alarm=$(case_of e-tjanst ET-003106)
escort=$(case_of e-tjanst ET-003105)
follow "$escort"
act lennart.ansvarsson "$escort" assess --degree misconduct --investigate --investigator ulla.utredstrom \
  --motive "Beviljad insats har inte utförts."
act saga.samordnare "$alarm" assess --degree misconduct --investigate --investigator ulla.utredstrom \
  --motive "Larmet var ur funktion i fyra dygn."
assess_deviations
late=$(case_of e-tjanst ET-003107)
follow "$late"
ignored=$(case_of e-tjanst ET-003104)
follow "$ignored"

on "2026-04-29 08:37"
act alma.korttidsson "$late" remedy --at "2026-04-24 11:00" --text "Separata matplatser och personal i matsalen."
say "The blow in the dining room ($late) was dealt with the same morning, and written down five days later: the deadline counts as" \
  "met, recorded late, and what was said is corrected. At Lindhaga ($ignored) nobody does anything."

on "2026-05-01 09:07"
assess_deviations

heading "May: a private home, and the investigations"

on "2026-05-04 14:07"
home=$(case_of hvb-tallen TALLEN-58)
follow "$home"
say "A private home reports that a young person was held in a room. The provider investigates and notifies IVO itself; the committee is to" \
  "register what it was told, within two working days: case $home."
follow "$alarm"
act saga.samordnare "$alarm" serious --motive "Brukaren låg en natt på golvet utan hjälp."

on "2026-05-05 10:07"
act rut.diariesson "$home" register --number "SN 2026/0502"
act saga.samordnare "$alarm" notify --registry "SN 2026/0503" --form 2025-07
investigate_theft ulla.utredstrom
act ulla.utredstrom "$theft" complete --degree misconduct --motive "Stölden skedde under besök av inhyrd personal."

on "2026-05-07 09:07"
act rut.diariesson "$home" provider-notified --notified "2026-05-06 15:00" --ivo-number "3.2-2026/4711" \
  --text "Utföraren har anmält till IVO."
act saga.samordnare "$theft" decide --degree misconduct --motive "Enligt utredningen."

on "2026-05-08 13:07"
assess_deviations
act saga.samordnare "$home" close --note "Utföraren utreder; nämnden är informerad."
slip=$(case_of e-tjanst ET-003109)
act saga.samordnare "$slip" assess --degree none --position --motive "Kuvertet kom tillbaka oöppnat."
act saga.samordnare "$slip" close --note "Inget missförhållande."
act norea.hemgren "$theft" measure --horizon short --description "Kassaskåp och räkning av två personer." \
  --goal "Inga oförklarade differenser." --responsible norea.hemgren --end 2026-05-29

on "2026-05-15 13:07"
assess_deviations
investigate_escort ulla.utredstrom
act ulla.utredstrom "$escort" complete --degree misconduct --motive "Insatsen var inte inlagd i schemat."

heading "Deadlines that nobody meets"

on "2026-05-22 13:07"
act lennart.ansvarsson "$escort" decide --degree misconduct --motive "Enligt utredningen."
act eken.gruppell "$escort" measure --horizon short --description "Ledsagning läggs in i schemat varje vecka." \
  --goal "Ingen utebliven ledsagning." --responsible eken.gruppell --end 2026-06-12
assess_deviations

on "2026-05-27 15:07"
act norea.hemgren "$theft" execute 1 --text "Kassaskåp på plats, rutinen införd."

on "2026-05-29 13:07"
assess_deviations

heading "June: Midsummer"

on "2026-06-11 10:07"
act eken.gruppell "$escort" execute 1 --text "Schemat ändrat."
investigate_night urban.utredstrom
act urban.utredstrom "$night" complete --degree serious --motive "Tillsynen brast hela natten."

on "2026-06-16 09:07"
act lennart.ansvarsson "$night" decide --degree serious --motive "Enligt utredningen."
act agneta.avdelningsberg "$night" measure --horizon short --description "Två personer på natten och inga låsta dörrar." \
  --goal "Ingen natt utan tillsyn." --responsible bengt.bjorkman --end 2026-06-30

on "2026-06-22 10:37"
act saga.samordnare "$night" hand-in --channel e_service
say "Handed in on Monday 22 June, in time: the last day had moved past Midsummer Eve, Midsummer Day and the Sunday."

on "2026-06-26 10:07"
act ulla.utredstrom "$escort" evaluate 1 --ineffective --text "Ledsagningen är inte säkrad vid frånvaro."
act eken.gruppell "$escort" evaluate 1 --ineffective --text "Ledsagningen uteblev två gånger till."
act eken.gruppell "$escort" measure --horizon long --description "Egen vikariepool." --goal "Ingen utebliven ledsagning." \
  --responsible eken.gruppell --end 2026-08-14

on "2026-06-29 14:07"
act bengt.bjorkman "$night" execute 1 --text "Bemanningen ändrad, låsen borttagna."

heading "July: people are away, deputies get the mail"

on "2026-08-10 09:07"
say "The investigation of the alarms at home care south ($alarm) is overdue, and mails went to those who stood in for the coordinator," \
  "the head of administration and the chair. It is finished now, too late."
investigate_alarm ulla.utredstrom
act ulla.utredstrom "$alarm" complete --degree serious --motive "Larmet övervakades inte."
act lennart.ansvarsson "$alarm" decide --degree serious --motive "Enligt utredningen."
act saga.samordnare "$alarm" hand-in --channel e_service
act soren.hemgren "$alarm" measure --horizon short --description "Daglig funktionskontroll av larm." \
  --goal "Inget larm ur funktion längre än ett dygn." --responsible soren.hemgren --end 2026-09-04

heading "August to October: did it help?"

on "2026-08-12 10:07"
act eken.gruppell "$escort" execute 2 --text "Poolen finns."

on "2026-08-26 10:07"
act ulla.utredstrom "$theft" evaluate 1 --effective --text "Rutinen följs."
act norea.hemgren "$theft" evaluate 1 --effective --text "Inga differenser på tre månader."

on "2026-08-27 10:07"
act saga.samordnare "$theft" close --note "Åtgärden har haft avsedd effekt." --causes PRO

on "2026-09-28 10:07"
act urban.utredstrom "$night" evaluate 1 --effective --text "Nattbemanningen är dubbel."
act beata.bjorkman "$night" evaluate 1 --effective --text "Ingen natt utan tillsyn sedan juli."
act saga.samordnare "$night" close --note "Åtgärden har haft avsedd effekt." --causes OMG

on "2026-10-08 10:07"
act ulla.utredstrom "$escort" evaluate 2 --effective --text "Poolen har täckt all frånvaro."
act eken.gruppell "$escort" evaluate 2 --effective --text "Ingen utebliven ledsagning sedan augusti."
act saga.samordnare "$escort" close --note "Andra åtgärden hade effekt." --causes OMG

on "2026-10-15 08:07"
tell all
