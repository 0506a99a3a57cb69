"""The text that a client reads first in a proof bundle."""

README = """\
DOWÓD / PROOF

PL
Ten folder zawiera cały dziennik prac prowadzony dla Państwa firmy, do ostatniego podpisanego
punktu kontrolnego. Sprawdzenie, w tym folderze (Python 3.11 lub nowszy):

    python -m pip install cryptography
    python verify.py . --key KLUCZ

KLUCZ otrzymali Państwo przy podpisaniu umowy. Bez --key program wypisze klucz do porównania.
Programu verify.py z tego folderu nie trzeba ufać bardziej niż folderowi: można użyć kopii
otrzymanej wcześniej. Kod wyjścia: 0 zgodny, 1 niezgodny (z nazwą wpisu lub pliku), 2 złe wywołanie.

Co to dowodzi: wpisy są dokładnie te, które podpisano, w tej kolejności, bez braków i zmian.
Czego nie dowodzi: że wpisano wszystko, co się stało; że komputer, który odpowiadał, mówił prawdę;
oraz że po ostatnim punkcie kontrolnym, który mają Państwo u siebie, niczego nie dopisano od nowa.
Dlatego warto przechować plik z folderu checkpoints i podać go przy następnym dowodzie: --held PLIK.

EN
This folder holds the whole log kept for your company, up to its last signed checkpoint. To check
it, inside this folder (Python 3.11 or newer):

    python -m pip install cryptography
    python verify.py . --key KEY

You were given KEY when the contract was signed. Without --key the program prints the key to compare.
The verify.py in this folder deserves no more trust than the folder: a copy received earlier will do.
Exit code: 0 sound, 1 unsound (an entry or file is named), 2 unusable call.

What it proves: the entries are exactly those that were signed, in this order, none missing or changed.
What it does not prove: that everything that happened was entered; that a PC that answered told the
truth; that nothing was written anew after the last checkpoint you hold yourself. So keep a file of
the folder checkpoints, and pass it with the next bundle: --held FILE.

FILES
  entries.txt             one line per entry: number, SHA-256, random salt, the event as it was signed
  bodies/                 longer contents that entries refer to, named by digest
  erasures/               proofs that missing bodies were erased on record (only when there are any)
  epochs/                 declarations of lost entries, signed by the recovery key (only when there are any);
                          pass the recovery key that you were given: --recovery-key KEY
  checkpoints/            every signed checkpoint that was kept
  last-entry.tlog-proof   inclusion proof of the last entry
  about.json              name of the log and the salt of the digests of bodies
  verifier-key.txt        key of the checkpoints; compare it with the one you were given
  recovery-key.txt        key that alone may declare a lost range, should it ever come to that
  MANIFEST                signed list of all files
"""
