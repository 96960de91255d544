"""What the crew page says around the message, in the languages we have."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "from": "From",
        "sent": "Sent at",
        "urgent": "URGENT",
        "who": "Who are you?",
        "answer": "Your answer",
        "read": "I have read this",
        "thanks": "Thank you. Your answer",
        "change": "You can change it here.",
        "cancelled": "This message was cancelled. Disregard it.",
        "gone": "This link leads nowhere.",
        "gone_next": "Open the link from your newest message, or ask the production office.",
        "where": "Where",
        "stop": "No more e-mail?",
        "stop_means": "This production sends you no more e-mail, not even when it is urgent.",
        "stop_now": "Stop e-mail",
        "stopped": "You get no more e-mail from this production.",
        "stopped_next": "If you want it again, tell the production office.",
    },
    "es": {
        "from": "De",
        "sent": "Enviado a las",
        "urgent": "URGENTE",
        "who": "¿Quién es usted?",
        "answer": "Su respuesta",
        "read": "Lo he leído",
        "thanks": "Gracias. Su respuesta",
        "change": "Puede cambiarla aquí.",
        "cancelled": "Este mensaje fue cancelado. No lo tenga en cuenta.",
        "gone": "Este enlace no lleva a ninguna parte.",
        "gone_next": "Abra el enlace de su mensaje más reciente o pregunte a la oficina de producción.",
        "where": "Dónde",
        "stop": "¿No más correos?",
        "stop_means": "Esta producción no le enviará más correos, ni siquiera urgentes.",
        "stop_now": "Dejar de recibir correos",
        "stopped": "Ya no recibirá correos de esta producción.",
        "stopped_next": "Si los quiere de nuevo, dígalo a la oficina de producción.",
    },
    "fr": {
        "from": "De",
        "sent": "Envoyé à",
        "urgent": "URGENT",
        "who": "Qui êtes-vous ?",
        "answer": "Votre réponse",
        "read": "J’ai lu ce message",
        "thanks": "Merci. Votre réponse",
        "change": "Vous pouvez la modifier ici.",
        "cancelled": "Ce message a été annulé. N’en tenez pas compte.",
        "gone": "Ce lien ne mène nulle part.",
        "gone_next": "Ouvrez le lien de votre dernier message ou demandez au bureau de production.",
        "where": "Où",
        "stop": "Ne plus recevoir d’e-mails ?",
        "stop_means": "Cette production ne vous enverra plus d’e-mails, même urgents.",
        "stop_now": "Arrêter les e-mails",
        "stopped": "Vous ne recevrez plus d’e-mails de cette production.",
        "stopped_next": "Pour en recevoir de nouveau, dites-le au bureau de production.",
    },
}


def words_for(language: str) -> dict[str, str]:
    """The words of a language such as ``en`` or ``es-MX``, in English where there are none."""
    return WORDS.get(language.split("-", maxsplit=1)[0].lower(), WORDS["en"])
