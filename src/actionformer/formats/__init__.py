"""Files of annotations and detections: one file per format, found through the `index`.

`annotations` and `detections` read and write files of any format. The file of a format defines some of these functions,
and the index says which:

    read_annotations(path, class_names) -> Annotations
    annotations_text(annotations) -> str
    read_results(path) -> {video: Columns}
    results_text(iterable of VideoRows) -> pieces of text   many videos per file
    results_bytes(iterable of VideoRows) -> pieces          the same of a format that is no text
    video_text(detections, media) -> str                    one video per file; if it counts frames, with fps, duration
    video_line(video_rows) -> str                           of many videos: a line each, with nothing before or after
    stream_header() -> str                                  of a live source: the first line, "" for none
    action_line(action, source) -> str                      and a line per action
    provisional_line(actions) -> str                        and one of all that is not final yet
"""
