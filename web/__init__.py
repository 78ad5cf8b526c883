"""The pages: for people, without script. `web.register.register(app)` puts them into the app."""
