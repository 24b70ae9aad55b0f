"""Which side a photo shows, guessed from the name of its file: `bracket_front.jpg`, `von oben.png`."""

from __future__ import annotations

import re
import unicodedata

# English, German, French, Spanish, Italian, Portuguese; without accents. Words that mean something else in
# another of these languages are missing, such as "dos".
_WORDS = {
    "front": "front frontal frontview vorn vorne vorderseite vorderansicht avant devant frente delante"
    " delantera delantero fronte frontale davanti anteriore anterior dianteira",
    "back": "back rear rearview backview hinten hinterseite ruckseite rueckseite ruckansicht rueckansicht"
    " arriere derriere atras detras trasera trasero retro dietro posteriore posterior traseira",
    "left": "left leftside links gauche izquierda izquierdo sinistra sinistro esquerda esquerdo",
    "right": "right rightside rechts droite derecha derecho destra destro direita direito",
    "top": "top topview oben draufsicht oberseite dessus arriba sopra cima topo superior superiore",
    "bottom": "bottom bottomview underside below unten unterseite untersicht dessous abajo debajo sotto"
    " embaixo inferior inferiore",
}
_ANGLE_OF = {word: angle for angle, words in _WORDS.items() for word in words.split()}
_END_OF_WORD = re.compile(r"[\W\d_]+|(?<=[a-z])(?=[A-Z])")


def guessed_angle(file_name: str, part_name: str = "") -> str | None:
    """The one side that the file's name tells; None if it tells none, or several (`front-left.jpg`).

    Words of the part's own name say nothing about the photo: a "front brake disc" has six sides, too.
    """
    words = _words(file_name.rpartition(".")[0] or file_name) - _words(part_name)
    angles = {_ANGLE_OF[word] for word in words if word in _ANGLE_OF}
    return angles.pop() if len(angles) == 1 else None


def _words(text: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", text)
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return {word.casefold() for word in _END_OF_WORD.split(letters) if word}
