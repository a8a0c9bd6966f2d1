"""Services: one adapter for each remote recognition service, and the HTTP client and pacing that they share.

Recognition without a remote service belongs in `mfcc_assets.recognition.recogniser`.
"""
