# afterwards.sh - what is left to look at; sourced by quickstart.sh.

heading "The same report sent again, and one that cannot be read"
echo "\$ avvik report file deploy/samples/e-tjanst-again.yaml --key e-tjanst"
avvik report file deploy/samples/e-tjanst-again.yaml --key e-tjanst 2>&1 || true
echo "\$ avvik report file deploy/samples/e-tjanst-refused.yaml --key e-tjanst"
avvik report file deploy/samples/e-tjanst-refused.yaml --key e-tjanst 2>&1 || true
echo "\$ avvik report file deploy/samples/unreadable.json --key larmsystem"
avvik report file deploy/samples/unreadable.json --key larmsystem 2>&1 || true
avvik clock settle

heading "Why the deadline of $night fell on 22 June"
echo "\$ avvik why $night D5"
avvik why "$night" D5

heading "One report through all four daemons"
echo "\$ avvik trace $unplaced"
avvik trace "$unplaced"

heading "Proof that a report was received, checked without the system"
echo "\$ avvik report receipt --reference ET-003103 --save receipt.json --key e-tjanst"
(cd "$state" && avvik report receipt --reference ET-003103 --save receipt.json --key e-tjanst)
echo "\$ avvik report verify receipt.json --public keys/intake.sign.pub"
(cd "$state" && avvik report verify receipt.json --public keys/intake.sign.pub)

heading "One of the mails"
for mail in $(grep -l '^Date: Mon, 22 Jun 2026 08:00' "$state/mail/new/"* | xargs grep -l '<urban.utredstrom@'); do
  ! show_mail "$mail" | grep -q 'Sista dag' || break
done
echo "${mail#"$root/"}"
show_mail "$mail"

heading "The figures"
echo "\$ avvik summary --span tertial --period 2026-T1            # the whole committee, the first tertial"
avvik summary --span tertial --period 2026-T1
echo
echo "\$ avvik summary --span tertial --period 2026-T1 --by deadline"
avvik summary --span tertial --period 2026-T1 --by deadline
echo
echo "\$ avvik summary --span month --unit aldreomsorg"
avvik summary --span month --unit aldreomsorg

heading "How the daemons are"
echo "\$ avvik status"
avvik status || true

heading "Where things lie, below ${state#"$root/"}"
cat <<END
mails          mail/new, $(find "$state/mail/new" -type f | wc -l) of them
what happened  story.log, $(wc -l <"$state/story.log") sentences, with all that was left out above
journals       <daemon>/data: \`avvik feed intake workflow --words\` reads them, \`avvik verify\` checks them
settings       avvik.yaml, principals.yaml, keys

Six and a half months in $(($(date +%s) - began)) seconds.
END
