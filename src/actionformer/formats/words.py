"""The words of a column's name, those of other languages in English."""

from __future__ import annotations

import re
import unicodedata

OTHERS = {
    "video": "videos filme pelicula aufnahme gravacao grabacion opname "
    "動画 ビデオ 映像 视频 視頻 影片 비디오 영상 видео",
    "file": "datei fichier archivo arquivo ficheiro bestand ファイル 文件 파일 файл",
    "file name": "dateiname bestandsnaam",
    "video file": "videodatei",
    "video name": "videoname",
    "video duration": "videodauer videolänge",
    "start": "anfang beginn début inicio início comienzo começo inizio 開始 始まり 始点 开始 起始 시작 начало",
    "end": "ende fin fim término einde eind 終了 終わり 終点 结束 結束 终止 종료 конец окончание",
    "from": "von de desde da van",
    "to": "bis hasta até tot fine final",
    "duration": "dauer durée duración duração durata duur 長さ 持続時間 継続時間 时长 持续时间 지속시간 длительность "
    "продолжительность",
    "time": "zeit uhrzeit zeitpunkt temps tiempo tempo heure hora tijd 時間 時刻 时间 시간 время",
    "start time": "startzeit anfangszeit beginnzeit starttijd begintijd",
    "end time": "endzeit endezeit stoppzeit eindtijd",
    "start frame": "startbild anfangsbild startframe",
    "end frame": "endbild endframe",
    "frame": "fotograma quadro fotogramma trame フレーム 帧 프레임 кадр",
    "frame rate": "bildrate framerate フレームレート 帧率",
    "label": "etikett bezeichnung étiquette libellé etiqueta rótulo etichetta ラベル 标签 標籤 라벨 레이블 метка",
    "behavior": "verhalten comportement comportamiento conducta comportamento gedrag 行動 行为 行為 행동 поведение",
    "action": "aktion handlung acción ação azione actie アクション 動作 动作 동작 действие",
    "class": "klasse classe clase クラス 分類 클래스 класс",
    "category": "kategorie catégorie categoría categoria categorie カテゴリ カテゴリー 类别 категория",
    "event": "ereignis événement evénement evento gebeurtenis イベント 事件 이벤트 событие",
    "activity": "tätigkeit aktivität activité actividad atividade attività activiteit 活動 活动 활동",
    "movement": "bewegung mouvement movimiento movimento beweging",
    "exercise": "übung exercice ejercicio exercício esercizio oefening",
    "group": "gruppe groupe grupo gruppo groep グループ 组 그룹 группа",
    "person": "personne persona pessoa persoon 被験者",
    "subject": "proband probandin versuchsperson sujet sujeto sujeito soggetto",
    "observer": "beobachter beobachterin observateur observatrice observador observadora 観察者",
    "second": "sekunde sekunden sek secondes segundo segundos seg secondi seconden 秒 초 секунды сек",
    "ms": "millisekunden millisecondes milisegundos millisecondi milliseconden ミリ秒 毫秒",
    "hour": "stunde stunden",
    "minute": "minuten minutos minuti 分 分钟 분",
}
"""English -> words that say it in German, French, Spanish, Portuguese, Italian, Dutch, Japanese, Chinese, Korean and
Russian. What is another word in English (Italian `fine`) stands where it counts only if it is all of a name."""


def _folded(text: str) -> str:
    """In lower case and without accents, which headers often leave out."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(one for one in apart if unicodedata.category(one) != "Mn").casefold()


ENGLISH = {_folded(word): english for english, words in OTHERS.items() for word in words.split()}
_WORD = re.compile(r"[^\W\d_]+|\d+")
_UNSPACED = re.compile(
    "|".join(sorted((word for word in ENGLISH if ord(word[0]) >= 0x1100), key=len, reverse=True))  # from Hangul on
)
"""Words of writings that leave no blank between them, the longest first."""


def words_of(name: str) -> list[str]:
    """Lower-case English words, also of `startTime`, `start_time`, `Startzeit` and `開始時刻`."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [english for word in _WORD.findall(_folded(spaced)) for english in _english(word)]


def in_english(name: str) -> str:
    """A name in lower case, and with English words for those of other languages: `Zeit (s)` is `time (s)`."""
    if all(_english(word) == [word] for word in _WORD.findall(_folded(name))):
        return name.casefold()
    return _WORD.sub(lambda word: " ".join(_english(word[0])), _folded(name))


def _english(word: str) -> list[str]:
    if (known := ENGLISH.get(word)) is None and (parts := _UNSPACED.findall(word)):
        return [english for part in parts for english in ENGLISH[part].split()]
    return [word] if known is None else known.split()
