"""The light: turns the traffic of a run into frames for boards, WLED controllers and screens.

The renderer is pure: `model.reduce` makes a state of events, `effects.render` makes pixels of a state and a time,
`show.Show` adds the safety of `safety`. The gateway around it feeds it from a broker and sends the frames.
"""
